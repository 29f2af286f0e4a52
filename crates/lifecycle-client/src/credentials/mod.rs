//! Keys from variables, files, services and programs: found, cached, renewed.

pub(crate) mod cache;
pub(crate) mod chain;
pub(crate) mod driver;
pub(crate) mod host;
pub(crate) mod validity;
