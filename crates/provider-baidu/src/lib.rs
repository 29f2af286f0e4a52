//! provider-baidu
