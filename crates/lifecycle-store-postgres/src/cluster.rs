//! A private PostgreSQL cluster for tests and benchmarks: made with `initdb`, gone when dropped.
//!
//! The programs come from `PATH` or from `/usr/lib/postgresql/*/bin`. PostgreSQL refuses to run as root, so a
//! test of root runs the programs as the user `postgres` or `nobody`.

use std::{
    env, fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// A running cluster. Stopped when dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// The user of the server, if the tests run as root.
    user: Option<String>,
    port: u16,
}

/// The password of the superuser `lifecycle`.
pub const PASSWORD: &str = "a secret of the test cluster";

/// The variable that makes the tests with PostgreSQL mandatory.
pub const REQUIRE: &str = "LIFECYCLE_REQUIRE_POSTGRES";

impl Cluster {
    /// Starts a cluster. `durable` waits for the disk at each commit, as a real server does; the tests kill
    /// processes and not machines, and need no disk.
    ///
    /// # Errors
    /// The reason in one line: PostgreSQL is not installed, or does not start.
    pub fn start(durable: bool) -> Result<Self, String> {
        let programs = find_programs()?;
        let folder = tempfile::Builder::new().prefix("lifecycle-pg").tempdir();
        let folder = folder.map_err(|error| format!("no temporary folder: {error}"))?;
        let mut cluster = Self {
            user: server_user()?,
            port: free_port().map_err(|error| format!("no free port: {error}"))?,
            folder,
            programs,
        };
        cluster.create(durable)?;
        // Another program can take the port in the meantime.
        for _ in 0..3 {
            if cluster.launch().is_ok() {
                return Ok(cluster);
            }
            cluster.port = free_port().map_err(|error| format!("no free port: {error}"))?;
            cluster.write_settings(durable)?;
        }
        let log = fs::read_to_string(cluster.folder.path().join("log")).unwrap_or_default();
        Err(format!("PostgreSQL does not start: {log}"))
    }

    /// Returns the cluster that all tests of this process share; the last test stops the cluster. `None` if
    /// PostgreSQL is missing: one line on standard error says so.
    ///
    /// # Panics
    /// PostgreSQL is missing, and `LIFECYCLE_REQUIRE_POSTGRES` is 1.
    pub fn shared(test: &str) -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return Some(cluster);
        }
        let cluster = Arc::new(Self::own(test)?);
        *shared = Arc::downgrade(&cluster);
        Some(cluster)
    }

    /// Returns a cluster for one test, which may kill the server. `None` as [`shared`](Self::shared).
    ///
    /// # Panics
    /// PostgreSQL is missing, and `LIFECYCLE_REQUIRE_POSTGRES` is 1.
    pub fn own(test: &str) -> Option<Self> {
        match Self::start(false) {
            Ok(cluster) => Some(cluster),
            Err(reason) if env::var_os(REQUIRE).is_some_and(|value| value == "1") => {
                panic!("{test}: {REQUIRE}=1, and {reason}")
            }
            Err(reason) => {
                use io::Write as _;
                // The line passes by the harness, which hides the output of passed tests.
                let _ = writeln!(io::stderr(), "skipped: {test}: {reason}");
                None
            }
        }
    }

    /// Creates a database, and returns its connection text.
    ///
    /// # Panics
    /// The database cannot be created.
    pub fn database(&self, name: &str) -> String {
        self.psql("postgres", &format!("create database \"{name}\""));
        self.text(name)
    }

    /// Returns the connection text of a database.
    pub fn text(&self, name: &str) -> String {
        self.text_at(name, self.port)
    }

    /// Returns the connection text of a database behind another port, such as the port of a proxy.
    pub fn text_at(&self, name: &str, port: u16) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgresql://lifecycle:{password}@127.0.0.1:{port}/{name}")
    }

    /// Returns the port of the server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements with psql, and returns the rows as text.
    ///
    /// # Panics
    /// A statement fails.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args([
                "-XqAtv",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-U",
                "lifecycle",
            ])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", sql])
            .env("PGPASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            }
            Ok(output) => panic!("{sql}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => panic!("psql: {error}"),
        }
    }

    /// Kills the postmaster with SIGKILL: all its connections end.
    ///
    /// # Panics
    /// The server does not run.
    pub fn kill(&self) {
        let file = self.data().join("postmaster.pid");
        let Some(pid) = fs::read_to_string(&file).ok().and_then(|text| {
            let first = text.lines().next();
            first.map(str::to_owned)
        }) else {
            panic!("the server does not run");
        };
        let killed = Command::new("kill").args(["-9", &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill -9 {pid}");
    }

    /// Starts the server again after [`kill`](Self::kill).
    ///
    /// # Panics
    /// The server does not start within 30 seconds.
    pub fn restart(&self) {
        // The server waits for the end of the processes of its predecessor.
        for _ in 0..60 {
            if self.launch().is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(500));
        }
        panic!("the server does not start again");
    }

    /// Lets the server listen on a further address of this machine, for clients in the network `clients`, such as
    /// `198.18.0.0/15`. Restarts the server.
    ///
    /// # Panics
    /// The server does not start with the address.
    pub fn listen(&self, address: &str, clients: &str) {
        let append = |name: &str, text: &str| {
            let file = self.data().join(name);
            let before = fs::read_to_string(&file).unwrap_or_default();
            fs::write(&file, before + text).unwrap_or_else(|error| panic!("{name}: {error}"));
        };
        append(
            "lifecycle.conf",
            &format!("listen_addresses = '127.0.0.1, {address}'\n"),
        );
        append(
            "pg_hba.conf",
            &format!("host all all {clients} scram-sha-256\n"),
        );
        self.kill();
        self.restart();
    }

    /// Lets the server offer TLS with a certificate and its key, both in PEM.
    ///
    /// # Panics
    /// The server does not accept them.
    pub fn serve_tls(&self, certificate: &str, key: &str) {
        let folder = self.folder.path();
        let mut settings = "ssl = on\n".to_owned();
        for (setting, name, text) in [
            ("ssl_cert_file", "server.crt", certificate),
            ("ssl_key_file", "server.key", key),
        ] {
            let file = folder.join(name);
            fs::write(&file, text).unwrap_or_else(|error| panic!("{name}: {error}"));
            // The server refuses a key that others can read.
            let _ = Command::new("chmod").arg("600").arg(&file).status();
            if let Some(user) = &self.user {
                let _ = Command::new("chown").arg(user).arg(&file).status();
            }
            settings += &format!("{setting} = '{}'\n", file.display());
        }
        let file = self.data().join("lifecycle.conf");
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, before + &settings).unwrap_or_else(|error| panic!("{error}"));
        self.psql("postgres", "select pg_reload_conf()");
        for _ in 0..50 {
            if self.psql("postgres", "show ssl") == "on" {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not offer TLS");
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn create(&self, durable: bool) -> Result<(), String> {
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD).map_err(|error| error.to_string())?;
        if let Some(user) = &self.user {
            // The server owns its folder.
            let owner = Command::new("chown")
                .args(["-R", user])
                .arg(self.folder.path())
                .output();
            done("chown", owner)?;
        }
        let initdb = self
            .command("initdb")
            .arg("-D")
            .arg(self.data())
            .args([
                "-U",
                "lifecycle",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ])
            .arg(format!("--pwfile={}", password.display()))
            .output();
        done("initdb", initdb)?;
        self.write_settings(durable)
    }

    fn write_settings(&self, durable: bool) -> Result<(), String> {
        let settings = format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = {durable}\n\
             max_connections = 200\nshared_buffers = '64MB'\nlog_min_messages = error\n",
            self.port,
            self.folder.path().display()
        );
        let file = self.data().join("lifecycle.conf");
        fs::write(&file, settings).map_err(|error| error.to_string())?;
        let main = self.data().join("postgresql.conf");
        let text = fs::read_to_string(&main).map_err(|error| error.to_string())?;
        if !text.contains("lifecycle.conf") {
            let text = text + "\ninclude = 'lifecycle.conf'\n";
            fs::write(&main, text).map_err(|error| error.to_string())?;
        }
        if let Some(user) = &self.user {
            done("chown", Command::new("chown").arg(user).arg(&file).output())?;
        }
        Ok(())
    }

    fn launch(&self) -> Result<(), String> {
        let started = self
            .command("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(self.folder.path().join("log"))
            .args(["-w", "-t", "30", "start"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match started {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("pg_ctl: {status}")),
            Err(error) => Err(format!("pg_ctl: {error}")),
        }
    }

    /// Returns a command of PostgreSQL, as a user that may run a server.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match &self.user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={user}"))
                    .args(["--clear-groups", "--"])
                    .arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = self
            .command("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-m", "immediate", "-w", "stop"])
            .output();
        // A killed server has stopped already.
        drop(stopped);
    }
}

fn done(program: &str, output: io::Result<Output>) -> Result<(), String> {
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            Err(format!(
                "{program} failed: {}",
                text.trim().replace('\n', "; ")
            ))
        }
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Returns the folder of `initdb` and the other programs.
fn find_programs() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    installed.sort_by_key(|path| version(path));
    let mut folders = env::split_paths(&path).chain(installed.into_iter().rev());
    let found = folders.find_map(|folder| fs::canonicalize(folder.join("initdb")).ok());
    let found = found.as_deref().and_then(Path::parent);
    found.map(Path::to_owned).ok_or_else(|| {
        "PostgreSQL is not installed: no initdb on PATH or in /usr/lib/postgresql/*/bin".to_owned()
    })
}

/// Returns the number in a path such as `/usr/lib/postgresql/15/bin`.
fn version(path: &Path) -> u32 {
    let parent = path.parent().and_then(Path::file_name);
    let name = parent.map(|name| name.to_string_lossy().into_owned());
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// Returns the user of the server; `None` if the present user may run a server.
fn server_user() -> Result<Option<String>, String> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if id(&["-u"]).as_deref() != Some("0") {
        return Ok(None);
    }
    let known = ["postgres", "nobody"].into_iter();
    let mut known = known.filter(|user| id(&["-u", user]).is_some());
    let user = known.next().map(str::to_owned);
    let user = user.ok_or("root cannot run PostgreSQL, and there is no user postgres or nobody")?;
    Ok(Some(user))
}
