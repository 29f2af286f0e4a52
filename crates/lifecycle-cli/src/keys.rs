//! Where keys come from, as `--help` tells it. The clouds' own profiles are the source.

use std::fmt::Write;

use lifecycle_facade::{
    Profile, Provider, aliyun, baidu,
    core::KeyVariables,
    huawei,
    zenlayer::{self, Zenlayer},
};

/// The environment variables of all clouds.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "Keys come from environment variables. For each cloud the first set that is\ncomplete counts:",
    );
    for profile in profiles() {
        // Writing into a string cannot fail.
        let _ = write!(text, "\n  {}", profile.title);
        for variables in profile.variables {
            let _ = write!(text, "\n    {}", names(variables));
        }
    }
    let projects = huawei::PROJECT_VARIABLES.join(" or ");
    let _ = write!(text, "\n    and the project id: {projects}");
    text
}

fn names(variables: &KeyVariables) -> String {
    match *variables {
        KeyVariables::Keys {
            id,
            secret,
            session: None,
        } => format!("{id}, {secret}"),
        KeyVariables::Keys {
            id,
            secret,
            session: Some(session),
        } => format!("{id}, {secret}\n      [{session}]"),
        KeyVariables::Token(name) => name.to_owned(),
        _ => String::new(),
    }
}

/// The profiles of all clouds, Huawei's last. A profile does not depend on the region.
fn profiles() -> Vec<Profile> {
    let baidu = baidu::Config::new("bj").map(baidu::Baidu::new);
    let aliyun = aliyun::Config::new("cn-hangzhou").map(aliyun::Aliyun::new);
    let zenlayer = Zenlayer::new(zenlayer::Config::new());
    let huawei = huawei::Config::new("cn-north-4", "project").map(huawei::Huawei::new);
    let profiles = [
        baidu.ok().map(|cloud| cloud.profile().clone()),
        aliyun.ok().map(|cloud| cloud.profile().clone()),
        Some(zenlayer.profile().clone()),
        huawei.ok().map(|cloud| cloud.profile().clone()),
    ];
    profiles.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clouds_are_there() {
        assert_eq!(profiles().len(), 4);
        let text = help();
        for name in [
            "BAIDUCLOUD_ACCESS_KEY",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ZENLAYER_TOKEN",
            "HUAWEICLOUD_SDK_PROJECT_ID",
        ] {
            assert!(text.contains(name), "{name} is missing in\n{text}");
        }
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}
