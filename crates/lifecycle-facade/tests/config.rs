//! Tests of the configuration file: values, error messages and paths.
#![cfg(feature = "config")]

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use lifecycle_facade::{
    Endpoint, EndpointNetwork, FailureLimit, PlainHttp, Waves,
    config::{Config, CredentialConfig, Group},
};

#[test]
fn each_default_is_read() {
    let config = Config::parse(
        r#"
        [defaults]
        timeout = "1h30m"
        attempt_timeout = "20s"
        connect_timeout = "5s"
        waves = "10%"
        wave_pause = "2m"
        stop_after = 2
        max = 0x10
        ca_certificates = ["a.pem", "/b.pem"]
        plain_http = "anywhere"
        "#,
    );
    let defaults = config.unwrap().defaults;
    assert_eq!(defaults.timeout, Some(Duration::from_secs(5_400)));
    assert_eq!(defaults.attempt_timeout, Some(Duration::from_secs(20)));
    assert_eq!(defaults.connect_timeout, Some(Duration::from_secs(5)));
    assert_eq!(defaults.waves, Some(Waves::percent(10)));
    assert_eq!(defaults.wave_pause, Some(Duration::from_secs(120)));
    assert_eq!(defaults.stop_after, Some(FailureLimit::instances(2)));
    assert_eq!(defaults.max, NonZeroUsize::new(16));
    let written = ["a.pem", "/b.pem"].map(PathBuf::from);
    assert_eq!(defaults.ca_certificates, written);
    assert_eq!(defaults.plain_http, Some(PlainHttp::Anywhere));

    for size in ["5", "\"5\""] {
        let config = Config::parse(&format!("defaults.waves = {size}")).unwrap();
        assert_eq!(config.defaults.waves, Some(Waves::of(5)));
    }
}

#[test]
fn each_setting_of_an_account_is_read() {
    let config = Config::parse(
        r#"
        [accounts.prod]
        cloud = "aliyun"
        region = "cn-hangzhou"
        endpoint = "ecs.example.com"
        identity_endpoint = "sts.example.com"
        metadata_endpoint = "http://127.0.0.1:1"
        network = "vpc"
        pace = { reads = 10, writes = 0.5 }

        [accounts.other]
        cloud = "huawei"
        project = "p"
        enterprise_project = "e"

        [accounts.batches]
        cloud = "baidu"
        batch_reboot = true
        "#,
    )
    .unwrap();
    let endpoint = |text| Some(Endpoint::parse(text).unwrap());
    let prod = &config.accounts["prod"];
    assert_eq!(prod.cloud.as_str(), "aliyun");
    assert_eq!(prod.region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(prod.endpoint, endpoint("https://ecs.example.com"));
    assert_eq!(prod.identity_endpoint, endpoint("https://sts.example.com"));
    assert_eq!(prod.metadata_endpoint, endpoint("http://127.0.0.1:1"));
    assert_eq!(prod.network, Some(EndpointNetwork::Vpc));
    assert_eq!((prod.pace.reads, prod.pace.writes), (Some(10.0), Some(0.5)));
    assert_eq!(prod.credentials, CredentialConfig::default());

    let other = &config.accounts["other"];
    assert_eq!(other.project.as_deref(), Some("p"));
    assert_eq!(other.enterprise_project.as_deref(), Some("e"));
    assert_eq!((other.network, other.batch_reboot), (None, None));
    assert_eq!(config.accounts["batches"].batch_reboot, Some(true));
}

#[test]
fn each_credential_source_is_read() {
    let printed = |cloud: &str, source: &str| {
        let text = format!("accounts.a = {{ cloud = {cloud:?}, credentials = {{ {source} }} }}");
        let config = Config::parse(&text).unwrap_or_else(|error| panic!("{source}: {error}"));
        format!("{:?}", config.accounts["a"].credentials)
    };
    for (cloud, source, expected) in [
        ("baidu", "", "Default { profile: None }"),
        ("baidu", "profile = 'x'", "Default { profile: Some(\"x\") }"),
        ("zenlayer", "source = 'environment'", "Environment"),
        ("zenlayer", "source = 'file'", "File { profile: None }"),
        (
            "aliyun",
            "source = 'variables', id = 'ID', secret = 'SECRET', session = 'SESSION'",
            "AccessKeyVariables { id: VariableName(\"ID\"), secret: VariableName(\"SECRET\"), session: Some(VariableName(\"SESSION\")) }",
        ),
        (
            "zenlayer",
            "source = 'variables', token = 'TOKEN'",
            "TokenVariable { token: VariableName(\"TOKEN\") }",
        ),
        (
            "aliyun",
            "source = 'metadata', role = 'r'",
            "Metadata { role: Some(\"r\") }",
        ),
        ("huawei", "source = 'metadata'", "Metadata { role: None }"),
        ("huawei", "source = 'oidc'", "Oidc"),
        (
            "aliyun",
            "source = 'uri', uri = 'http://localhost/k'",
            "Uri { uri: \"http://localhost/k\" }",
        ),
        (
            "baidu",
            "source = 'assume-role', role = 'r', account_id = 'a', duration = '1h'",
            "AssumeRole(RoleConfig { role: \"r\", account_id: Some(\"a\"), domain: None, session_name: None, external_id: None, duration: Some(3600s), from: Default { profile: None } })",
        ),
        (
            "aliyun",
            "source = 'assume-role', role = 'r', session_name = 's', external_id = 'e', from = { source = 'oidc' }",
            "AssumeRole(RoleConfig { role: \"r\", account_id: None, domain: None, session_name: Some(\"s\"), external_id: Some(\"e\"), duration: None, from: Oidc })",
        ),
        (
            "baidu",
            "source = 'session-token', from = { source = 'environment' }",
            "SessionToken { duration: None, from: Environment }",
        ),
        (
            "huawei",
            "source = 'password', user = 'u', domain = 'd', password_variable = 'P'",
            "Password { user: \"u\", domain: \"d\", password_variable: VariableName(\"P\") }",
        ),
    ] {
        assert_eq!(printed(cloud, source), expected);
    }
}

#[test]
fn groups_keep_texts_and_lines_for_later_checks() {
    let config = Config::parse(
        "accounts.prod.cloud = 'aliyun'\n[groups]\nweb = [\n  'prod@aliyun/a/1',\n  'baidu/bj/2',\n]\n",
    )
    .unwrap();
    let Group::References(web) = &config.groups["web"] else {
        panic!("web is a list of references");
    };
    let entries: Vec<_> = web
        .iter()
        .map(|entry| (entry.text.as_str(), entry.line))
        .collect();
    assert_eq!(entries, [("prod@aliyun/a/1", 4), ("baidu/bj/2", 5)]);

    assert_eq!(config.check_groups(|_| Ok(()), |_| Ok(())), Ok(()));
    let error = config
        .check_groups(
            |text| match text.contains('@') {
                true => Ok(()),
                false => Err(format!("{text} is invalid")),
            },
            |_| Ok(()),
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 5: web in [groups]: baidu/bj/2 is invalid"
    );
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_file() {
    let text = "\
[accounts.prod]
cloud = 'aliyun'
reigon = 'cn-hangzhou'
network = 'vcp'

[defaults]
timeout = '10'
max = 0

[groups]
web = ['prd@aliyun/a/1']
";
    assert_eq!(
        messages(text),
        [
            "line 3: unknown setting \"reigon\" in [accounts.prod]; did you mean \"region\"?",
            "line 4: network in [accounts.prod]: unknown value \"vcp\"; did you mean \"vpc\"?",
            "line 7: timeout in [defaults]: invalid duration \"10\": add a unit, for example 90s, 10m or 1h30m",
            "line 8: max in [defaults]: invalid number 0: write 1 or more",
            "line 11: web in [groups]: unknown account in \"prd@aliyun/a/1\"; did you mean \"prod\"?",
        ]
    );
}

#[test]
fn unknown_missing_and_invalid_settings_are_reported() {
    for (text, expected) in [
        ("timeout = '1m'", "in this file; move it to [defaults]"),
        ("acounts = {}", "did you mean \"accounts\"?"),
        (
            "colour = 1",
            "known settings: \"defaults\", \"accounts\", \"groups\"",
        ),
        ("defaults = 1", "defaults in this file: write a table"),
        (
            "accounts.prod = {}",
            "missing setting cloud in [accounts.prod]",
        ),
        ("accounts.cloud = 'aliyun'", "write [accounts.NAME] above"),
        (
            "accounts.baidu.cloud = 'baidu'",
            "this is the name of a cloud",
        ),
        (
            "accounts.'a/b'.cloud = 'baidu'",
            "start with a letter or digit",
        ),
        (
            "accounts.-a.cloud = 'baidu'",
            "start with a letter or digit",
        ),
        (
            "accounts.a.cloud = 'baydu'",
            "unknown value \"baydu\"; did you mean \"baidu\"?",
        ),
        (
            "accounts.a = { cloud = 'baidu', network = 'vpc' }",
            "network in [accounts.a]: not supported on baidu, only on aliyun",
        ),
        (
            "accounts.a = { cloud = 'zenlayer', identity_endpoint = 'a' }",
            "not supported on zenlayer, only on baidu, aliyun, huawei",
        ),
        (
            "accounts.a = { cloud = 'baidu', pace = { reads = 0 } }",
            "reads in pace of [accounts.a]: invalid rate 0",
        ),
        (
            "accounts.a = { cloud = 'baidu', pace = { writes = inf } }",
            "invalid rate inf",
        ),
        (
            "accounts.a = { cloud = 'baidu', endpoint = 'ftp://a' }",
            "\"ftp://a\" has a scheme other than https and http: write a URL",
        ),
        (
            "accounts.a = { cloud = 'baidu', region = ' bj' }",
            "region in [accounts.a]: remove spaces",
        ),
        ("defaults.timeout = 90", "invalid duration 90: add a unit"),
        ("defaults.timeout = '8d'", "invalid duration"),
        ("defaults.timeout = '169h'", "longer than a week"),
        ("defaults.waves = 0", "invalid number 0"),
        (
            "defaults.plain_http = true",
            "unknown value true; write one of \"loopback\", \"anywhere\"",
        ),
        (
            "defaults.ca_certificates = 'a.pem'",
            "write a list of paths",
        ),
        ("groups.web = []", "web in [groups]: empty group"),
        ("groups.web = 'baidu/bj/1'", "write a list of references"),
        ("groups.web = [1]", "write each reference in quotes"),
        (
            "groups.web = ['baidu/bj/1', 'baidu/bj/1']",
            "duplicate reference \"baidu/bj/1\"",
        ),
        (
            "groups.web = ['a@baidu/bj/1']",
            "unknown account in \"a@baidu/bj/1\"; this file has no accounts",
        ),
        (
            "groups.huawei = ['baidu/bj/1']",
            "this is the name of a cloud",
        ),
        (
            "accounts.web.cloud = 'baidu'\ngroups.web = ['baidu/bj/1']",
            "line 2: \"web\" in [groups]: this is the name of an account",
        ),
        (
            "defaults.max = 1\ndefaults.max = 2",
            "line 2: duplicate key",
        ),
        ("[defaults", "line 1: unclosed table"),
    ] {
        assert_reports(text, expected);
    }
}

#[test]
fn invalid_credential_sources_are_reported() {
    for (cloud, credentials, expected) in [
        (
            "baidu",
            "'environment'",
            "credentials in [accounts.a]: write a table",
        ),
        (
            "baidu",
            "{ source = 'files' }",
            "unknown value \"files\"; did you mean \"file\"?",
        ),
        (
            "baidu",
            "{ source = 'uri', uri = 'http://a' }",
            "source in credentials of [accounts.a] with source = \"uri\": not supported on baidu, only on aliyun",
        ),
        (
            "huawei",
            "{ source = 'metadata', role = 'r' }",
            "not supported on huawei, only on aliyun",
        ),
        (
            "aliyun",
            "{ source = 'file', role = 'r' }",
            "move it to credentials with source = \"metadata\" or credentials with source = \"assume-role\"",
        ),
        (
            "baidu",
            "{ source = 'assume-role', role = 'r' }",
            "missing setting account_id in credentials of [accounts.a] with source = \"assume-role\"",
        ),
        (
            "aliyun",
            "{ source = 'assume-role', role = 'r', account_id = 'a' }",
            "not supported on aliyun, only on baidu",
        ),
        (
            "aliyun",
            "{ source = 'assume-role', role = 'r', from = { source = 'session-token' } }",
            "source in credentials.from of [accounts.a] with source = \"session-token\": not supported on aliyun",
        ),
        (
            "baidu",
            "{ source = 'variables', id = 'ID' }",
            "missing setting secret in",
        ),
        (
            "zenlayer",
            "{ source = 'variables', id = 'ID', secret = 'SECRET', session = 'S' }",
            "not supported on zenlayer, only on baidu, aliyun, huawei",
        ),
        (
            "zenlayer",
            "{ source = 'variables', id = 'ID', token = 'TOKEN' }",
            "id in credentials of [accounts.a] with source = \"variables\": not allowed beside token",
        ),
        (
            "aliyun",
            "{ source = 'uri', uri = 'localhost' }",
            "invalid URL: write a URL",
        ),
        (
            "huawei",
            "{ source = 'password', user = 'u', domain = 'd' }",
            "missing setting password_variable",
        ),
    ] {
        let text = format!("accounts.a = {{ cloud = {cloud:?}, credentials = {credentials} }}");
        assert_reports(&text, expected);
    }
}

#[test]
fn nested_sources_have_a_maximum_depth() {
    let within = |depth: usize| {
        let opened = "{ source = 'session-token', from = ".repeat(depth);
        let closed = "}".repeat(depth);
        format!("accounts.a = {{ cloud = 'baidu', credentials = {opened}{{}}{closed} }}")
    };
    assert!(Config::parse(&within(8)).is_ok());
    assert_reports(&within(9), "at most 8 sources can be nested");
}

#[test]
fn secrets_are_rejected_and_not_quoted() {
    const SECRET: &str = "hunter2";
    let instead = "write the names of the variables into credentials = { source = \"variables\"";
    for (text, expected) in [
        (
            "accounts.a = { cloud = 'aliyun', access_key_secret = 'hunter2' }",
            instead,
        ),
        (
            "accounts.a = { cloud = 'aliyun', Secret-Key = 'hunter2' }",
            instead,
        ),
        (
            "accounts.a = { cloud = 'aliyun', credentials = { secret = 'hunter2' } }",
            instead,
        ),
        (
            "accounts.a = { cloud = 'huawei', credentials = { source = 'password', password = 'hunter2' } }",
            instead,
        ),
        ("accounts.secret = 'hunter2'", instead),
        ("password = 'hunter2'", instead),
        (
            "accounts.a = { cloud = 'aliyun', credentials = { source = 'variables', id = 'ID', secret = 'Hunter2+hunter2' } }",
            "(value not shown: it may be a secret): write the name",
        ),
        (
            "accounts.a = { cloud = 'aliyun', endpoint = 'https://me:hunter2@a/' }",
            "remove the user name",
        ),
        (
            "accounts.a = { cloud = 'aliyun', credentials = 'hunter2' }",
            "write a table",
        ),
        (
            "accounts.a = { cloud = 'aliyun', secret = hunter2 }",
            "line 1: ",
        ),
    ] {
        assert_reports(text, expected);
        let error = Config::parse(text).unwrap_err();
        assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    }
}

#[test]
fn paths_are_relative_to_the_file_and_errors_name_the_file() {
    let folder = Folder::new("read");
    let file = folder.file(
        "lifecycle.toml",
        "defaults.ca_certificates = ['ca.pem', '/etc/ca.pem']\ngroups.web = ['x']",
    );
    let config = Config::load(&file).unwrap();
    let located = [folder.0.join("ca.pem"), PathBuf::from("/etc/ca.pem")];
    assert_eq!(config.defaults.ca_certificates, located);
    assert_eq!(config.file.as_deref(), Some(file.as_path()));
    let error = config
        .check_groups(|_| Err("no".to_owned()), |_| Ok(()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}:2: web in [groups]: no", file.display())
    );

    let file = folder.file("wrong.toml", "\ncolour = 1\nsize = 2");
    let error = Config::load(&file).unwrap_err();
    assert_eq!(error.file(), Some(file.as_path()));
    for (line, message) in (2..).zip(error.to_string().lines()) {
        let expected = format!("{}:{line}: unknown setting", file.display());
        assert!(message.starts_with(&expected), "{message}");
    }
    assert_eq!(error.diagnostics().len(), 2);
}

#[test]
fn paths_with_a_tilde_start_at_home() {
    let folder = Folder::new("home");
    let file = folder.file("lifecycle.toml", "defaults.ca_certificates = ['~/ca.pem']");
    let home = std::env::home_dir().unwrap();
    let located = Config::load(file).unwrap().defaults.ca_certificates;
    assert_eq!(located, [home.join("ca.pem")]);
}

#[test]
fn missing_file_is_an_error_only_for_load() {
    let folder = Folder::new("absent");
    let absent = folder.0.join("lifecycle.toml");
    assert_eq!(Config::load_if_present(&absent), Ok(None));
    let error = Config::load(&absent).unwrap_err();
    let expected = format!("{}: cannot be read: ", absent.display());
    assert!(error.to_string().starts_with(&expected), "{error}");

    // A folder and a large file are errors for both functions.
    assert!(Config::load_if_present(&folder.0).is_err());
    let large = folder.file("large.toml", &"#".repeat((1 << 20) + 1));
    assert!(Config::load_if_present(large).is_err());
    let present = folder.file("present.toml", "");
    assert!(Config::load_if_present(present).unwrap().is_some());
}

#[test]
fn default_path_has_its_own_folder() {
    if let Some(path) = Config::default_path() {
        assert!(path.ends_with("lifecycle/lifecycle.toml"), "{path:?}");
        assert!(path.is_absolute(), "{path:?}");
    }
}

#[cfg(all(feature = "baidu", not(feature = "huawei")))]
#[test]
fn account_of_a_cloud_outside_of_this_build_is_rejected_at_use() {
    let config = Config::parse("accounts.a.cloud = 'baidu'\naccounts.b.cloud = 'huawei'").unwrap();
    assert!(config.accounts["a"].cloud.in_this_build().is_ok());
    let error = config.accounts["b"].cloud.in_this_build().unwrap_err();
    assert!(error.to_string().contains("feature \"huawei\""), "{error}");
}

fn messages(text: &str) -> Vec<String> {
    let error = Config::parse(text).expect_err(text);
    error.to_string().lines().map(str::to_owned).collect()
}

fn assert_reports(text: &str, expected: &str) {
    let messages = messages(text);
    assert!(
        messages.iter().any(|line| line.contains(expected)),
        "{text}\n{messages:#?}"
    );
}

/// A folder for one test, deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let unique = format!("lifecycle-config-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(unique);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(Path::new(name));
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A remaining folder is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn group_can_be_a_selection() {
    let config = Config::parse(
        r#"
        accounts.prod.cloud = "aliyun"
        [defaults]
        protect = ["prod-db-*"]
        protect_tag = "keep"
        [groups.ci]
        select = { in = [
          "prod@",
          "aliyun/*",
        ], name = "ci-*", tags = { env = "ci" }, state = ["running", "starting"], exclude = "ci-1", max = 5 }
        [groups.old]
        select = { tags = ["!owner", "env=dev"] }
        "#,
    )
    .unwrap();
    let Group::Selection(ci) = &config.groups["ci"] else {
        panic!("ci is a selection");
    };
    let locations: Vec<_> = ci.locations.iter().map(|entry| &*entry.text).collect();
    assert_eq!(locations, ["prod@", "aliyun/*"]);
    assert!(ci.filter.names[0].matches("ci-7"));
    assert_eq!(ci.filter.tags, ["env=ci".parse().unwrap()]);
    assert_eq!(ci.filter.states.len(), 2);
    assert_eq!(ci.exclude[0].as_str(), "ci-1");
    assert_eq!(ci.max, NonZeroUsize::new(5));
    let Group::Selection(old) = &config.groups["old"] else {
        panic!("old is a selection");
    };
    assert!(old.locations.is_empty());
    assert_eq!(old.filter.tags.len(), 2);
    assert_eq!(config.defaults.protect[0].as_str(), "prod-db-*");
    assert_eq!(config.defaults.protect_tag.as_deref(), Some("keep"));
    let error = config.check_groups(
        |_| Ok(()),
        |text| match text {
            "prod@" => Ok(()),
            _ => Err("no such place".to_owned()),
        },
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "line 7: ci in [groups]: no such place"
    );
}

#[test]
fn invalid_selection_is_reported_with_the_text_to_write() {
    for (text, expected) in [
        ("groups.a = {}", "a in [groups]: add select ="),
        ("groups.a = 'x'", "or a selection, such as { select"),
        ("groups.a = { selct = {} }", "did you mean \"select\"?"),
        ("groups.a.select = { nmae = 'x' }", "did you mean \"name\"?"),
        (
            "groups.a.select = { state = 'runing' }",
            "did you mean \"running\"?",
        ),
        (
            "groups.a.select = { tags = 5 }",
            "write { key = \"value\" }, or a list",
        ),
        (
            "groups.a.select = { tags = { env = 5 } }",
            "value of each tag in quotes",
        ),
        ("groups.a.select = { tags = ['=x'] }", "a tag needs a key"),
        ("groups.a.select = { name = [] }", "the list is empty"),
        (
            "groups.a.select = { in = 'prod@' }",
            "unknown account in \"prod@\"",
        ),
        ("groups.a.select = { max = 0 }", "write 1 or more"),
    ] {
        assert_reports(text, expected);
    }
}
