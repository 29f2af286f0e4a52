//! The list of the clouds in this workspace.

/// The clouds. Each cloud is a feature of the facade and a crate `provider-<cloud>`.
pub(crate) const CLOUDS: [&str; 4] = ["baidu", "aliyun", "zenlayer", "huawei"];
