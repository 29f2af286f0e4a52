//! What is set up on a machine: the vendors' files, the configuration file, its accounts and groups.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{Ran, Served, run_with};

/// A user's home, and a simulator.
struct Home {
    folder: TempDir,
    served: Served,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            served: Served::with(&[
                "--fleet",
                "baidu/bj=2,aliyun/cn-hangzhou=1,zenlayer/global=1",
            ]),
        }
    }

    /// Writes a file of the home, with what stands in capital letters filled in.
    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text
            .replace("URL", self.served.field("url"))
            .replace("ID", self.served.field("access_key"))
            .replace("SECRET", self.served.field("secret_key"));
        fs::write(&path, text).unwrap();
        close(&path);
    }

    fn config(&self, text: &str) {
        self.write(".config/lifecycle/lifecycle.toml", text);
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let home = self.folder.path().to_string_lossy().into_owned();
        let mut all = vec![("HOME", home)];
        all.extend(
            variables
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        run_with(args, &all, "")
    }

    fn at_simulator(&self, args: &[&str]) -> Ran {
        let args = [args, &["--endpoint", self.served.field("url")]].concat();
        self.run(&args, &[])
    }
}

/// A text with single blanks between its words.
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

/// The names of variables must survive what is filled in.
const PROD: [&str; 2] = ["PROD_KEY", "PROD_WORD"];

#[test]
fn a_vendor_s_file_is_all_that_is_needed() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let ran = home.at_simulator(&["list", "baidu/bj", "--output", "json"]);
    assert_eq!(ran.exits_with(0).rows().len(), 2);
}

#[test]
#[cfg(unix)]
fn a_file_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let path = home.folder.path().join(".bce/config.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    for command in ["credentials", "doctor"] {
        let ran = home.at_simulator(&[command, "baidu/bj"]).exits_with(0);
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(text.contains("chmod 600 ~/.bce/config.json"), "{ran:#?}");
    }
}

#[test]
fn accounts_and_groups_of_the_configuration_file() {
    let home = Home::new();
    let instance = home.served.instances()[0].rsplit('/').next().unwrap();
    home.config(&ACCOUNTS.replace("WEB", instance));
    let (key, secret) = (
        home.served.field("access_key").to_owned(),
        home.served.field("secret_key").to_owned(),
    );
    let variables = [(PROD[0], key.as_str()), (PROD[1], secret.as_str())];
    for targets in [
        &["start", "web", "--no-wait"][..],
        &["status", &format!("prod@baidu/bj/{instance}")],
    ] {
        let args = [targets, &["--output", "json"]].concat();
        let ran = home.run(&args, &variables).exits_with(0);
        let reference = format!("prod@baidu/bj/{instance}");
        assert_eq!(ran.column("instance"), [reference]);
    }
    let ran = home.run(&["list", "prod", "--output", "json"], &variables);
    assert_eq!(ran.exits_with(0).rows().len(), 2);
    home.run(&["start", "nothing"], &variables)
        .exits_with(2)
        .says_only("or a group: there is web");
    home.run(&["list", "files"], &variables).exits_with(3);
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line() {
    let home = Home::new();
    home.config("[accounts.prod]\ncloud = \"baidu\"\nreigon = \"bj\"\n");
    let ran = home.run(&["list", "baidu/bj"], &[]).exits_with(2);
    for part in ["lifecycle.toml:3", "reigon", "region"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:#?}");
    }
    home.run(&["list", "baidu/bj", "--config", "/nonexistent.toml"], &[])
        .exits_with(2)
        .says_only("/nonexistent.toml");
    let variables = [("LIFECYCLE_CONFIG", "/nowhere.toml")];
    home.run(&["list", "baidu/bj"], &variables)
        .exits_with(2)
        .says_only("/nowhere.toml");
}

#[test]
fn credentials_are_shown_without_secrets() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    home.write(
        ".zenlayer/credentials.json",
        r#"{"default": {"token": "hidden-token"}}"#,
    );
    let ran = home
        .at_simulator(&["credentials", "--output", "json", "-vv"])
        .exits_with(0);
    let secret = home.served.field("secret_key");
    for hidden in [secret, "hidden-token"] {
        assert!(!format!("{ran:?}").contains(hidden), "{ran:#?}");
    }
    let rows = ran.rows();
    let of = |place: &str| rows.iter().find(|row| row["place"] == place).unwrap();
    let baidu = of("baidu/bj");
    assert_eq!(baidu["key"], home.served.field("access_key"));
    assert_eq!(baidu["kind"], "permanent");
    assert_eq!(baidu["found"], "profile \"w\" in ~/.bce/config.json");
    assert_eq!(of("zenlayer/global")["key"], "token");
    assert!(of("aliyun/cn-hangzhou")["problem"].is_string());
    home.at_simulator(&["credentials", "aliyun/cn-hangzhou"])
        .exits_with(3);
    home.at_simulator(&["credentials", "aliyun/cn-hangzhou", "baidu/bj"])
        .exits_with(1);
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_what_to_do() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let ran = home
        .at_simulator(&["doctor", "--output", "json"])
        .exits_with(0);
    let rows = ran.rows();
    let verdict = |check: &str| {
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
        assert_eq!(verdict(check), "ok", "{check}: {rows:#?}");
    }

    home.write(".bce/config.json", &BCE.replace("SECRET", "wrong"));
    let ran = home.at_simulator(&["doctor", "baidu/bj"]).exits_with(3);
    assert!(words(&ran.stdout).contains("FAILED permission"), "{ran:#?}");
    assert!(
        ran.stdout.contains("look at what the key may do"),
        "{ran:#?}"
    );

    let args = ["doctor", "baidu/bj", "--endpoint", "http://127.0.0.1:1"];
    let ran = home.run(&args, &[]).exits_with(3);
    assert!(words(&ran.stdout).contains("FAILED connection"), "{ran:#?}");
    assert!(
        words(&ran.stdout).contains("skipped permission"),
        "{ran:#?}"
    );
    assert!(ran.stdout.contains("check the network"), "{ran:#?}");
}

#[test]
fn the_simulator_knows_no_accounts_and_an_empty_name_is_no_file() {
    let variables = [("LIFECYCLE_CONFIG", "/nowhere.toml")];
    let home = Home::new();
    home.run(&["list", "baidu/bj", "--sim"], &variables)
        .exits_with(0);
    home.write(".bce/config.json", BCE);
    let endpoint = home.served.field("url");
    let empty = [("LIFECYCLE_CONFIG", "")];
    home.run(&["list", "baidu/bj", "--endpoint", endpoint], &empty)
        .exits_with(0);
}

#[test]
fn waves_of_the_file_and_of_the_command_line_add_up() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let dry = |args: &[&str]| {
        let instances = home.served.instances();
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
        .says_only("--stop-after ends waves, and there are none");
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
fn a_broken_account_is_not_hidden_by_a_good_one() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    home.config(ACCOUNTS);
    let ran = home.at_simulator(&["credentials", "--output", "json"]);
    let rows = ran.exits_with(1).rows();
    let prod = rows
        .iter()
        .find(|row| row["place"] == "prod@baidu/bj")
        .unwrap();
    assert_eq!(
        prod["problem"],
        "no key for Baidu AI Cloud BCC: PROD_KEY and PROD_WORD are not set"
    );
    let ran = home.run(&["credentials", "prod"], &[]).exits_with(3);
    assert!(ran.stdout.contains("PROD_KEY and PROD_WORD"), "{ran:#?}");
}

#[test]
fn a_key_that_huawei_refuses_has_its_kind() {
    let served = Served::with(&["--fleet", "huawei/cn-north-4=1"]);
    let variables = [
        ("HW_ACCESS_KEY", served.field("access_key").to_owned()),
        ("HW_SECRET_KEY", "wrong".to_owned()),
    ];
    let instances = served.instances();
    let args = [
        &["start"][..],
        &instances,
        &["--output", "json", "--endpoint", served.field("url")],
    ];
    let ran = run_with(&args.concat(), &variables, "").exits_with(3);
    assert_eq!(ran.column("kind"), ["credential"]);
}

#[test]
fn endpoints_of_environment_file_and_command_line_win_in_this_order() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let url = home.served.field("url").to_owned();
    let nobody = "http://127.0.0.1:1";
    let args = ["list", "baidu/bj", "--timeout", "5s"];
    home.run(&args, &[("BCC_ENDPOINT", &url)]).exits_with(0);
    home.run(&args, &[("BCC_ENDPOINT", nobody)]).exits_with(3);
    let here = [&args[..], &["--endpoint", &url]].concat();
    home.run(&here, &[("BCC_ENDPOINT", nobody)]).exits_with(0);

    home.config("[accounts.prod]\ncloud = \"baidu\"\nendpoint = \"URL\"\n");
    let of_account = ["list", "prod@baidu/bj", "--timeout", "5s"];
    home.run(&of_account, &[("BCC_ENDPOINT", nobody)])
        .exits_with(0);
    let elsewhere = [&of_account[..], &["--endpoint", nobody]].concat();
    home.run(&elsewhere, &[]).exits_with(3);
}

#[test]
fn the_defaults_of_the_file_count() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let instances = home.served.instances();
    home.config("[defaults]\nmax = 1\n");
    let both = [&["start"][..], &instances[..2]].concat();
    home.at_simulator(&both)
        .exits_with(2)
        .says_only("2 instances are more than the cap of 1");
    home.config("[defaults]\ntimeout = \"1s\"\n");
    let ran = home.at_simulator(&["wait", instances[0], "--output", "json"]);
    assert_eq!(ran.exits_with(1).column("outcome"), ["pending"]);
    home.config("[defaults]\nca_certificates = [\"company.pem\"]\n");
    home.at_simulator(&["list", "baidu/bj"])
        .exits_with(2)
        .says_only("company.pem");
}

#[test]
fn plain_http_to_others_has_to_be_allowed() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    // No host of this name exists, so nothing leaves this machine.
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
        .says_only("unless --plain-http says otherwise");
    let allowed = [&args[..], &["--plain-http"]].concat();
    home.run(&allowed, &[])
        .exits_with(3)
        .says_only("no connection");
    home.config("[defaults]\nplain_http = \"anywhere\"\n");
    home.run(&args, &[])
        .exits_with(3)
        .says_only("no connection");
}

#[test]
#[cfg(unix)]
fn the_end_of_a_temporary_key_is_shown() {
    let home = Home::new();
    home.write(
        ".aliyun/config.json",
        r#"{"current": "e", "profiles": [{"name": "e", "mode": "External", "process_command":
            "/bin/echo '{\"mode\": \"StsToken\", \"access_key_id\": \"k\", \"access_key_secret\": \"hidden-1\", \"sts_token\": \"hidden-2\", \"expiration\": \"2099-01-02T03:04:05Z\"}'"}]}"#,
    );
    let ran = home.at_simulator(&[
        "credentials",
        "aliyun/cn-hangzhou",
        "--output",
        "json",
        "-vv",
    ]);
    let row = &ran.exits_with(0);
    assert!(!format!("{row:?}").contains("hidden"), "{row:#?}");
    assert!(row.stderr.contains("key obtained"), "{row:#?}");
    assert!(row.stderr.contains("02 Jan 2099"), "{row:#?}");
    let row = &row.rows()[0];
    assert_eq!(row["kind"], "temporary");
    assert_eq!(row["expires"], "2099-01-02T03:04:05Z");
    assert!(row["expires_in"].as_u64().unwrap() > 1_000_000_000);
}

/// Answers one request with this date.
fn clock_at(date: &'static str) -> String {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            // What is asked does not matter, nor whether anybody reads the answer.
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
fn a_clock_that_is_off_is_told() {
    let home = Home::new();
    home.write(".bce/config.json", BCE);
    let url = clock_at("Wed, 03 Dec 2014 06:42:19 GMT");
    let args = ["doctor", "baidu/bj", "--timeout", "5s", "--endpoint", &url];
    let text = words(&home.run(&args, &[]).stdout);
    assert!(
        text.contains("warning clock this machine's clock is"),
        "{text}"
    );
    assert!(text.contains("s ahead (set this machine's clock"), "{text}");
}
