//! The table of clouds in the README says what the providers' profiles say.
//!
//! Run with `LIFECYCLE_WRITE=1` to write it anew.
#![cfg(all(
    feature = "baidu",
    feature = "aliyun",
    feature = "zenlayer",
    feature = "huawei"
))]

use std::{fmt::Write as _, fs};

use lifecycle_facade::{Profile, Provider, aliyun, baidu, huawei, zenlayer};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGIN: &str = "profiles -->\n";
const END: &str = "<!-- end of clouds -->";

#[test]
fn the_table_of_clouds_is_fresh() {
    let readme = fs::read_to_string(README).unwrap();
    let (head, rest) = readme.split_once(BEGIN).unwrap();
    let (written, tail) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("LIFECYCLE_WRITE").is_some() {
        fs::write(README, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
    } else {
        assert_eq!(written, table, "run this test with LIFECYCLE_WRITE=1");
    }
}

fn table() -> String {
    let providers: [(&str, Box<dyn Provider>); 4] = [
        (
            "baidu/bj",
            Box::new(baidu::Baidu::new(baidu::Config::new("bj").unwrap())),
        ),
        (
            "aliyun/cn-hangzhou",
            Box::new(aliyun::Aliyun::new(
                aliyun::Config::new("cn-hangzhou").unwrap(),
            )),
        ),
        (
            "zenlayer/global",
            Box::new(zenlayer::Zenlayer::new(zenlayer::Config::new())),
        ),
        (
            "huawei/cn-north-4",
            Box::new(huawei::Huawei::new(
                huawei::Config::new("cn-north-4", "p").unwrap(),
            )),
        ),
    ];
    let mut table = String::from(
        "| cloud | reference | start, stop, reboot | observe | forced stop, reboot | \
         stop without charge | initialise local disks |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (place, provider) in &providers {
        row(&mut table, place, provider.profile());
    }
    table
}

fn row(table: &mut String, place: &str, profile: &Profile) {
    let yes = |supported| if supported { "yes" } else { "no" };
    let limits = &profile.batch_limits;
    let actions = if limits.start == limits.stop && limits.stop == limits.reboot {
        format!("{} a call", limits.start)
    } else {
        format!(
            "{}, {}, {} a call",
            limits.start, limits.stop, limits.reboot
        )
    };
    let support = &profile.support;
    writeln!(
        table,
        "| {} | `{place}/…` | {actions} | {} a call | {}, {} | {} | {} |",
        profile.title,
        limits.observe,
        yes(support.forced_stop),
        yes(support.forced_reboot),
        yes(support.release_billing),
        yes(support.initialize_local_disk),
    )
    .unwrap();
}
