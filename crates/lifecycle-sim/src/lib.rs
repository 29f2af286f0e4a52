//! lifecycle-sim
