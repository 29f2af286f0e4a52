//! provider-zenlayer
