//! provider-aliyun
