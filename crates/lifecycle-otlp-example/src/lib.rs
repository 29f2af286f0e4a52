//! A crate for the example `otlp` alone, which exports the spans of lifecycle by OTLP. The dependencies of the
//! example are dependencies of tests only, so no program ever has them.
