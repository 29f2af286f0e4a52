//! Tests of the configuration file: accounts, groups, and the files of the vendors' tools.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{RunResult, SimulatorServer, run_with};

/// The home directory of a user, and a server with simulated clouds.
struct Home {
    folder: TempDir,
    server: SimulatorServer,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            server: SimulatorServer::with(&[
                "--fleet",
                "baidu/bj=2,aliyun/cn-hangzhou=1,zenlayer/global=1",
            ]),
        }
    }

    /// Writes a file into the home directory, with values for the words `URL`, `ID` and `SECRET`.
    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text
            .replace("URL", self.server.field("url"))
            .replace("ID", self.server.field("access_key"))
            .replace("SECRET", self.server.field("secret_key"));
        fs::write(&path, text).unwrap();
        close(&path);
    }

    fn config(&self, text: &str) {
        self.write(".config/lifecycle/lifecycle.toml", text);
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> RunResult {
        let home = self.folder.path().to_string_lossy().into_owned();
        let mut all = vec![("HOME", home)];
        all.extend(
            variables
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        run_with(args, &all, "")
    }

    fn at_simulator(&self, args: &[&str]) -> RunResult {
        let args = [args, &["--endpoint", self.server.field("url")]].concat();
        self.run(&args, &[])
    }
}

/// Returns the text with one space between words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(unix)]
fn close(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn close(_: &Path) {}

const BCE: &str = r#"{"current": "w", "profiles": [{"name": "w", "mode": "AK",
    "access_key_id": "ID", "secret_access_key": "SECRET", "region": "bj"}]}"#;

const ACCOUNTS: &str = r#"
[defaults]
timeout = "20s"

[accounts.prod]
cloud = "baidu"
region = "bj"
endpoint = "URL"
credentials = { source = "variables", id = "PROD_KEY", secret = "PROD_WORD" }

[accounts.files]
cloud = "zenlayer"
endpoint = "URL"
credentials = { source = "file" }

[groups]
web = ["prod@baidu/bj/WEB"]
"#;

/// Variable names without the words that [`Home::write`] replaces.
const PROD: [&str; 2] = ["PROD_KEY", "PROD_WORD"];

#[test]
fn list_uses_the_key_of_the_vendor_file() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let result = home.at_simulator(&["list", "baidu/bj", "--output", "json"]);
    assert_eq!(result.exits_with(0).rows().len(), 2);
}

#[test]
#[cfg(unix)]
fn file_that_others_can_read_causes_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let path = home.folder.path().join(".bce/config.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    for command in ["credentials", "doctor"] {
        let result = home.at_simulator(&[command, "baidu/bj"]).exits_with(0);
        let text = format!("{}{}", result.stdout, result.stderr);
        assert!(text.contains("chmod 600 ~/.bce/config.json"), "{result:#?}");
    }
}

#[test]
fn references_and_groups_of_an_account_use_its_key() {
    let home = Home::new();
    let instance = home.server.instances()[0].rsplit('/').next().unwrap();
    home.config(&ACCOUNTS.replace("WEB", instance));
    let (key, secret) = (
        home.server.field("access_key").to_owned(),
        home.server.field("secret_key").to_owned(),
    );
    let variables = [(PROD[0], key.as_str()), (PROD[1], secret.as_str())];
    for targets in [
        &["start", "web", "--no-wait"][..],
        &["status", &format!("prod@baidu/bj/{instance}")],
    ] {
        let args = [targets, &["--output", "json"]].concat();
        let result = home.run(&args, &variables).exits_with(0);
        let reference = format!("prod@baidu/bj/{instance}");
        assert_eq!(result.column("instance"), [reference]);
    }
    let result = home.run(&["list", "prod", "--output", "json"], &variables);
    assert_eq!(result.exits_with(0).rows().len(), 2);
    home.run(&["start", "nothing"], &variables)
        .exits_with(2)
        .has_only_error("known groups: web");
    home.run(&["list", "files"], &variables).exits_with(3);
}

#[test]
fn invalid_configuration_file_is_reported_with_path_and_line() {
    let home = Home::new();
    home.config("[accounts.prod]\ncloud = \"baidu\"\nreigon = \"bj\"\n");
    let result = home.run(&["list", "baidu/bj"], &[]).exits_with(2);
    for part in ["lifecycle.toml:3", "reigon", "region"] {
        assert!(result.stderr.contains(part), "{part}: {result:#?}");
    }
    home.run(&["list", "baidu/bj", "--config", "/nonexistent.toml"], &[])
        .exits_with(2)
        .has_only_error("/nonexistent.toml");
    let variables = [("LIFECYCLE_CONFIG", "/nowhere.toml")];
    home.run(&["list", "baidu/bj"], &variables)
        .exits_with(2)
        .has_only_error("/nowhere.toml");
}

#[test]
fn credentials_prints_key_and_source_but_no_secret() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    home.write(
        ".zenlayer/credentials.json",
        r#"{"default": {"token": "hidden-token"}}"#,
    );
    let result = home
        .at_simulator(&["credentials", "--output", "json", "-vv"])
        .exits_with(0);
    let secret = home.server.field("secret_key");
    for hidden in [secret, "hidden-token"] {
        assert!(!format!("{result:?}").contains(hidden), "{result:#?}");
    }
    let rows = result.rows();
    let of = |place: &str| rows.iter().find(|row| row["place"] == place).unwrap();
    let baidu = of("baidu/bj");
    assert_eq!(baidu["key"], home.server.field("access_key"));
    assert_eq!(baidu["kind"], "permanent");
    assert_eq!(baidu["found"], "profile \"w\" in ~/.bce/config.json");
    assert_eq!(of("zenlayer/global")["key"], "token");
    // The server plays the metadata service, too.
    let aliyun = of("aliyun/cn-hangzhou");
    assert_eq!(aliyun["kind"], "temporary");
    assert!(aliyun["found"].as_str().unwrap().contains("simulated-role"));
    let closed = ["--endpoint", "http://127.0.0.1:1", "--output", "json"];
    let missing = [&["credentials", "aliyun/cn-hangzhou"], &closed[..]].concat();
    let result = home.run(&missing, &[]).exits_with(3);
    assert!(result.rows()[0]["problem"].is_string(), "{result:#?}");
    let one_missing = [
        &["credentials", "aliyun/cn-hangzhou", "baidu/bj"],
        &closed[..],
    ]
    .concat();
    home.run(&one_missing, &[]).exits_with(1);
}

#[test]
fn doctor_reports_each_failed_check_with_advice() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let result = home
        .at_simulator(&["doctor", "--output", "json"])
        .exits_with(0);
    let rows = result.rows();
    let status = |check: &str| {
        let row = rows
            .iter()
            .find(|row| row["place"] == "baidu/bj" && row["check"] == check);
        row.unwrap()["verdict"].clone()
    };
    for check in [
        "configuration",
        "dns",
        "connection",
        "clock",
        "credentials",
        "permission",
    ] {
        assert_eq!(status(check), "ok", "{check}: {rows:#?}");
    }

    home.write(".bce/config.json", &BCE.replace("SECRET", "wrong"));
    let result = home.at_simulator(&["doctor", "baidu/bj"]).exits_with(3);
    assert!(
        words(&result.stdout).contains("FAILED permission"),
        "{result:#?}"
    );
    let plain = words(&result.stdout);
    assert!(
        plain.contains("check the access key, the secret key"),
        "{result:#?}"
    );
    assert!(!plain.contains("check the permissions"), "{result:#?}");

    let args = ["doctor", "baidu/bj", "--endpoint", "http://127.0.0.1:1"];
    let result = home.run(&args, &[]).exits_with(3);
    assert!(
        words(&result.stdout).contains("FAILED connection"),
        "{result:#?}"
    );
    assert!(
        words(&result.stdout).contains("skipped permission"),
        "{result:#?}"
    );
    assert!(result.stdout.contains("check the network"), "{result:#?}");
}

#[test]
fn sim_and_empty_variable_ignore_the_configuration_file() {
    let variables = [("LIFECYCLE_CONFIG", "/nowhere.toml")];
    let home = Home::new();
    home.run(&["list", "baidu/bj", "--sim"], &variables)
        .exits_with(0);
    home.write(".bce/config.json", BCE);
    let endpoint = home.server.field("url");
    let empty = [("LIFECYCLE_CONFIG", "")];
    home.run(&["list", "baidu/bj", "--endpoint", endpoint], &empty)
        .exits_with(0);
}

#[test]
fn waves_of_the_command_line_override_the_configuration_file() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let dry = |args: &[&str]| {
        let instances = home.server.instances();
        let bj: Vec<&str> = instances
            .into_iter()
            .filter(|i| i.starts_with("baidu"))
            .collect();
        let args = [&["start", "--dry-run", "--output", "json"], args, &bj].concat();
        home.at_simulator(&args)
    };
    assert_eq!(dry(&[]).exits_with(0).column("wave"), [1]);
    dry(&["--stop-after", "2"])
        .exits_with(2)
        .has_only_error("--stop-after needs --waves");
    home.config("[defaults]\nwaves = 1\n");
    assert_eq!(dry(&[]).exits_with(0).column("wave"), [1, 2]);
    assert_eq!(
        dry(&["--stop-after", "2"]).exits_with(0).column("wave"),
        [1, 2]
    );
    assert_eq!(dry(&["--waves", "2"]).exits_with(0).column("wave"), [1]);
    assert_eq!(dry(&["--no-wait"]).exits_with(0).column("wave"), [1]);
}

#[test]
fn account_without_key_fails_although_another_key_exists() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    home.config(ACCOUNTS);
    let result = home.at_simulator(&["credentials", "--output", "json"]);
    let rows = result.exits_with(1).rows();
    let prod = rows
        .iter()
        .find(|row| row["place"] == "prod@baidu/bj")
        .unwrap();
    assert_eq!(
        prod["problem"],
        "no key for Baidu AI Cloud BCC: PROD_KEY and PROD_WORD are not set"
    );
    let result = home.run(&["credentials", "prod"], &[]).exits_with(3);
    assert!(
        result.stdout.contains("PROD_KEY and PROD_WORD"),
        "{result:#?}"
    );
}

#[test]
fn key_rejected_by_huawei_has_kind_credential() {
    let server = SimulatorServer::with(&["--fleet", "huawei/cn-north-4=1"]);
    let variables = [
        ("HW_ACCESS_KEY", server.field("access_key").to_owned()),
        ("HW_SECRET_KEY", "wrong".to_owned()),
    ];
    let instances = server.instances();
    let args = [
        &["start"][..],
        &instances,
        &["--output", "json", "--endpoint", server.field("url")],
    ];
    let result = run_with(&args.concat(), &variables, "").exits_with(3);
    assert_eq!(result.column("kind"), ["credential"]);
}

#[test]
fn endpoint_of_command_line_overrides_file_and_file_overrides_environment() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let url = home.server.field("url").to_owned();
    let closed = "http://127.0.0.1:1";
    let args = ["list", "baidu/bj", "--timeout", "5s"];
    home.run(&args, &[("BCC_ENDPOINT", &url)]).exits_with(0);
    home.run(&args, &[("BCC_ENDPOINT", closed)]).exits_with(3);
    let here = [&args[..], &["--endpoint", &url]].concat();
    home.run(&here, &[("BCC_ENDPOINT", closed)]).exits_with(0);

    home.config("[accounts.prod]\ncloud = \"baidu\"\nendpoint = \"URL\"\n");
    let of_account = ["list", "prod@baidu/bj", "--timeout", "5s"];
    home.run(&of_account, &[("BCC_ENDPOINT", closed)])
        .exits_with(0);
    let elsewhere = [&of_account[..], &["--endpoint", closed]].concat();
    home.run(&elsewhere, &[]).exits_with(3);
}

#[test]
fn defaults_of_the_configuration_file_apply() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let instances = home.server.instances();
    home.config("[defaults]\nmax = 1\n");
    let both = [&["start"][..], &instances[..2]].concat();
    home.at_simulator(&both)
        .exits_with(2)
        .has_only_error("2 instances are more than");
    home.config("[defaults]\ntimeout = \"1s\"\n");
    let result = home.at_simulator(&["wait", instances[0], "--output", "json"]);
    assert_eq!(result.exits_with(4).column("outcome"), ["pending"]);
    home.config("[defaults]\nca_certificates = [\"company.pem\"]\n");
    home.at_simulator(&["list", "baidu/bj"])
        .exits_with(2)
        .has_only_error("company.pem");
}

#[test]
fn plain_http_to_another_machine_is_rejected_unless_allowed() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    // The host does not exist, so nothing leaves this machine.
    let args = [
        "list",
        "baidu/bj",
        "--timeout",
        "2s",
        "--endpoint",
        "http://api.cloud.invalid",
    ];
    home.run(&args, &[])
        .exits_with(2)
        .has_only_error("needs --plain-http");
    let allowed = [&args[..], &["--plain-http"]].concat();
    home.run(&allowed, &[])
        .exits_with(3)
        .has_only_error("no address for api.cloud.invalid");
    home.config("[defaults]\nplain_http = \"anywhere\"\n");
    home.run(&args, &[])
        .exits_with(3)
        .has_only_error("no address for api.cloud.invalid");
}

#[test]
#[cfg(unix)]
fn credentials_prints_the_expiry_of_a_temporary_key() {
    let home = Home::new();
    home.write(
        ".aliyun/config.json",
        r#"{"current": "e", "profiles": [{"name": "e", "mode": "External", "process_command":
            "/bin/echo '{\"mode\": \"StsToken\", \"access_key_id\": \"k\", \"access_key_secret\": \"hidden-1\", \"sts_token\": \"hidden-2\", \"expiration\": \"2099-01-02T03:04:05Z\"}'"}]}"#,
    );
    let result = home.at_simulator(&[
        "credentials",
        "aliyun/cn-hangzhou",
        "--output",
        "json",
        "-vv",
    ]);
    let row = &result.exits_with(0);
    assert!(!format!("{row:?}").contains("hidden"), "{row:#?}");
    assert!(row.stderr.contains("key obtained"), "{row:#?}");
    assert!(row.stderr.contains("2099-01-02T03:04:05Z"), "{row:#?}");
    let row = &row.rows()[0];
    assert_eq!(row["kind"], "temporary");
    assert_eq!(row["expires"], "2099-01-02T03:04:05Z");
    assert!(row["expires_in"].as_u64().unwrap() > 1_000_000_000);
}

/// Starts a server whose answers have this date, and returns its address.
fn clock_at(date: &'static str) -> String {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            // The request does not matter, and the client may have closed the connection.
            let _ = stream.read(&mut request);
            let answer = format!(
                "HTTP/1.1 404 Not Found\r\ndate: {date}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn doctor_warns_if_the_clocks_differ() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let url = clock_at("Wed, 03 Dec 2014 06:42:19 GMT");
    let args = ["doctor", "baidu/bj", "--timeout", "5s", "--endpoint", &url];
    let text = words(&home.run(&args, &[]).stdout);
    assert!(
        text.contains("warning clock the clock of this machine is"),
        "{text}"
    );
    assert!(
        text.contains("s ahead (set the clock of this machine"),
        "{text}"
    );
}
