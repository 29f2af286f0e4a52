//! provider-huawei
