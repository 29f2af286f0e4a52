//! lifecycle-facade
