//! Tests that the parts of the guide agree with each other and with the code: the list of chapters, the
//! kinds of errors, the variables with keys, and the limits of the clouds.
//!
//! Run with `LIFECYCLE_WRITE=1` to write the tables that the code determines.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use lifecycle_facade::{
    Cloud, EmptyHost, FaultKind, Profile, Provider,
    aliyun::{Aliyun, Config as AliyunConfig},
    baidu::{Baidu, Config as BaiduConfig},
    huawei::{Config as HuaweiConfig, Huawei},
    lifecycle_core::{EnvVarNames, ExecutionStatus, HttpResponse},
    zenlayer::{Config as ZenlayerConfig, Zenlayer},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn read(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

fn chapter(name: &str) -> String {
    read(&format!("docs/guide/src/{name}"))
}

/// Returns the file names of the chapters.
fn chapters() -> BTreeSet<String> {
    let folder = fs::read_dir(format!("{ROOT}/docs/guide/src")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "SUMMARY.md").collect()
}

#[test]
fn summary_lists_every_chapter_once() {
    let summary = chapter("SUMMARY.md");
    let links = summary.split("](").skip(1);
    let listed: Vec<String> = links
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect();
    let distinct: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(distinct, chapters());
    assert_eq!(distinct.len(), listed.len());
}

#[test]
fn every_document_with_a_rust_block_is_an_example_of_this_crate() {
    let library = read("crates/lifecycle-guide/src/lib.rs");
    for name in chapters() {
        let has_rust = chapter(&name).contains("```rust");
        let path = format!("\"docs/guide/src/{name}\"");
        assert_eq!(has_rust, library.contains(&path), "{name}");
    }
}

#[test]
fn every_rust_block_can_be_read_without_hidden_lines() {
    let documents = chapters().into_iter().map(|name| chapter(&name));
    for text in documents.chain([read("README.md")]) {
        let blocks = text.split("```rust").skip(1);
        for block in blocks.filter_map(|rest| rest.split("```").next()) {
            let hidden = block.lines().find(|line| line.starts_with("# "));
            assert_eq!(hidden, None, "repositories show hidden lines");
        }
    }
}

/// Replaces the text between the comments `<!-- NAME:` and `<!-- end of NAME`, or compares the texts.
fn write_or_compare(path: &str, name: &str, expected: &str) {
    let written = read(path);
    let comment = written.find(&format!("<!-- {name}:")).unwrap();
    let begin = comment + written[comment..].find('\n').unwrap() + 1;
    let end = written.find(&format!("<!-- end of {name}")).unwrap();
    if env::var_os("LIFECYCLE_WRITE").is_some() {
        let mut text = written;
        text.replace_range(begin..end, expected);
        fs::write(format!("{ROOT}/{path}"), text).unwrap();
    } else {
        let message = "run this test with LIFECYCLE_WRITE=1";
        assert_eq!(&written[begin..end], expected, "{path}: {message}");
    }
}

/// Returns the cells of the rows of the first table after `heading`, without the head of the table.
fn rows<'t>(text: &'t str, heading: &str) -> Vec<Vec<&'t str>> {
    let (_, rest) = text.split_once(heading).unwrap();
    rest.lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Returns the texts in backticks.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn table_of_kinds_has_each_kind_with_its_advice() {
    let text = chapter("errors.md");
    let rows = rows(&text, "## The kinds");
    let found: Vec<[&str; 3]> = rows.iter().map(|row| [row[0], row[1], row[2]]).collect();
    let names: Vec<String> = FaultKind::ALL.iter().map(|it| format!("`{it}`")).collect();
    let expected: Vec<[&str; 3]> = FaultKind::ALL
        .iter()
        .zip(&names)
        .map(|(kind, name)| [name.as_str(), executed(*kind), kind.advice()])
        .collect();
    assert_eq!(found, expected);
}

fn executed(kind: FaultKind) -> &'static str {
    match kind.execution_status() {
        ExecutionStatus::NotExecuted => "no",
        _ => "perhaps",
    }
}

#[test]
fn each_code_in_the_table_of_codes_has_the_kind_of_its_row() {
    let text = chapter("errors.md");
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows(&text, "## The clouds' codes") {
        let kind = spans(row[0]).next().unwrap();
        for (cloud, cell) in CLOUDS.iter().zip(&row[1..]) {
            for code in spans(cell) {
                assert_eq!(kind_of(cloud, code), kind, "{cloud}: {code}");
                *seen.entry(cloud).or_default() += 1;
            }
        }
    }
    assert!(CLOUDS.iter().all(|cloud| seen[cloud] >= 10), "{seen:?}");
}

/// The clouds in the order of the columns.
const CLOUDS: [&str; 4] = ["baidu", "aliyun", "zenlayer", "huawei"];

/// Returns the kind of an error response with this code. The status alone has the kind
/// `invalid-request`, so another kind comes from the code.
fn kind_of(cloud: &str, code: &str) -> &'static str {
    let body = match cloud {
        "aliyun" => format!(r#"{{"Code":"{code}","Message":"text","RequestId":"1"}}"#),
        "huawei" => format!(r#"{{"error":{{"code":"{code}","message":"text"}}}}"#),
        _ => format!(r#"{{"code":"{code}","message":"text","requestId":"1"}}"#),
    };
    let mut response = HttpResponse::new(body.into());
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    let fault = provider(cloud).check(&response).unwrap_err();
    assert_eq!(fault.code(), Some(code));
    fault.kind().as_str()
}

fn provider(cloud: &str) -> Box<dyn Provider> {
    match cloud {
        "baidu" => Box::new(Baidu::new(BaiduConfig::new("bj").unwrap())),
        "aliyun" => Box::new(Aliyun::new(AliyunConfig::new("cn-hangzhou").unwrap())),
        "zenlayer" => Box::new(Zenlayer::new(ZenlayerConfig::new())),
        _ => {
            let project = "0123456789abcdef0123456789abcdef";
            Box::new(Huawei::new(
                HuaweiConfig::new("cn-north-4", project).unwrap(),
            ))
        }
    }
}

#[test]
fn chapter_about_keys_names_every_variable_with_a_key() {
    let text = chapter("keys.md");
    for cloud in Cloud::ALL {
        for names in cloud.profile().env_vars {
            let names = match *names {
                EnvVarNames::Keys {
                    id,
                    secret,
                    session,
                } => [Some(id), Some(secret), session],
                EnvVarNames::Token(token) => [Some(token), None, None],
            };
            for name in names.into_iter().flatten() {
                assert!(text.contains(&format!("`{name}`")), "{cloud}: {name}");
            }
        }
    }
}

#[test]
fn table_of_limits_equals_the_profiles() {
    let mut table = String::from(
        "| cloud | start, stop, reboot | observe | reads, writes | lookups after the action |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for cloud in Cloud::ALL {
        table += &row_of_limits(cloud.profile());
    }
    write_or_compare("docs/guide/src/limits.md", "limits", &table);
}

fn row_of_limits(profile: &Profile) -> String {
    let limits = &profile.batch_limits;
    let polling = &profile.polling;
    let rates = &profile.rate_limits;
    format!(
        "| {} | {}, {}, {} a call | {} a call | {}, {} a second | {} s, {} s, then every {} to {} s |\n",
        profile.title,
        limits.start,
        limits.stop,
        limits.reboot,
        limits.observe,
        rates.reads.per_second,
        rates.writes.per_second,
        polling.first.as_secs(),
        polling.pause.as_secs(),
        polling.every.as_secs(),
        polling.ceiling.as_secs(),
    )
}

#[test]
fn table_of_options_equals_the_profiles() {
    let yes = |supported| if supported { "yes" } else { "no" };
    let mut table = String::from(
        "| cloud | reference | force-stop, forced reboot | stop without charge | initialise local disks |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for cloud in Cloud::ALL {
        let (profile, region) = (cloud.profile(), cloud.default_region(&EmptyHost));
        let support = &profile.support;
        table += &format!(
            "| {} | `{cloud}/{region}/…` | {}, {} | {} | {} |\n",
            profile.title,
            yes(support.forced_stop),
            yes(support.forced_reboot),
            yes(support.release_billing),
            yes(support.initialize_local_disk),
        );
    }
    write_or_compare("docs/guide/src/limits.md", "options", &table);
}
