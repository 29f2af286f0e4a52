//! A glob import of the facade hides no crate of the language: a macro can write `core::` beside the import.
#![allow(unused_imports, reason = "the import is the test")]

use lifecycle_facade::*;

/// Uses the crates of the language in the way of macros.
fn shown(text: &str) -> core::result::Result<std::string::String, core::fmt::Error> {
    core::result::Result::Ok(std::string::String::from(text))
}

#[test]
fn crates_of_the_language_are_visible_beside_a_glob_import() {
    let number: core::num::NonZeroUsize = core::num::NonZeroUsize::MIN;
    assert_eq!(shown(&number.to_string()).as_deref(), Ok("1"));
    // The vocabulary of providers has the name of its crate.
    let id = lifecycle_core::InstanceId::new("i-1").unwrap();
    assert_eq!(
        core::mem::size_of_val(&id),
        core::mem::size_of::<InstanceId>()
    );
}
