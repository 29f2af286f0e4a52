//! Tests that every provider passes every case on its simulated cloud, and that the page lists the
//! results.
//!
//! Run with `LIFECYCLE_WRITE=1` to update the page.

use std::{collections::HashSet, env, fs};

use lifecycle_conformance::suite::{Matrix, cases, page, run_simulated};
use lifecycle_sim::Cloud;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");

#[test]
fn simulated_clouds_pass_all_cases_and_the_page_is_current() {
    let matrix = Matrix::new(Cloud::ALL.map(run_simulated).into());
    assert!(matrix.is_green(), "{matrix}");
    let page = page(&matrix);
    if env::var_os("LIFECYCLE_WRITE").is_some() {
        fs::write(PAGE, page).unwrap();
    } else {
        let written = fs::read_to_string(PAGE).unwrap_or_default();
        assert_eq!(written, page, "run this test with LIFECYCLE_WRITE=1");
    }
}

#[test]
fn names_of_cases_are_unique() {
    let names: HashSet<String> = cases().into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases().len());
}
