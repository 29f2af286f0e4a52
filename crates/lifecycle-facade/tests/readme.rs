//! Tests that the table of clouds in the README matches the profiles of the providers.
//!
//! Run with `LIFECYCLE_WRITE=1` to write the table.
#![cfg(feature = "full")]

use std::{fmt::Write as _, fs};

use lifecycle_facade::{Cloud, EmptyHost, Profile};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const TABLE_BEGIN: &str = "profiles -->\n";
const TABLE_END: &str = "<!-- end of clouds -->";

#[test]
fn table_of_clouds_is_up_to_date() {
    let readme = fs::read_to_string(README).unwrap();
    let (head, rest) = readme.split_once(TABLE_BEGIN).unwrap();
    let (written, tail) = rest.split_once(TABLE_END).unwrap();
    let table = table();
    if std::env::var_os("LIFECYCLE_WRITE").is_some() {
        fs::write(
            README,
            format!("{head}{TABLE_BEGIN}{table}{TABLE_END}{tail}"),
        )
        .unwrap();
    } else {
        assert_eq!(written, table, "run this test with LIFECYCLE_WRITE=1");
    }
}

fn table() -> String {
    let mut table = String::from(
        "| cloud | reference | start, stop, reboot | observe | forced stop, reboot | \
         stop without charge | initialise local disks |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for cloud in Cloud::ALL {
        let location = format!("{cloud}/{}", cloud.default_region(&EmptyHost));
        row(&mut table, &location, cloud.profile());
    }
    table
}

fn row(table: &mut String, location: &str, profile: &Profile) {
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
        "| {} | `{location}/…` | {actions} | {} a call | {}, {} | {} | {} |",
        profile.title,
        limits.observe,
        yes(support.forced_stop),
        yes(support.forced_reboot),
        yes(support.release_billing),
        yes(support.initialize_local_disk),
    )
    .unwrap();
}
