//! Tests that the provider passes the conformance suite on a fake of the cloud.

mod cloud;

use cloud::FakeCloud;
use lifecycle_conformance::suite::{Matrix, run_in_paused_time};

#[test]
fn provider_passes_the_conformance_suite() {
    let column = run_in_paused_time("example", || Ok(FakeCloud::new()));
    let matrix = Matrix::new(vec![column]);
    println!("{matrix}");
    assert!(matrix.is_green(), "{matrix}");
    assert!(matrix.count("pass") > 140, "{matrix}");
}
