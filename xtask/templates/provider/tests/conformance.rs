//! The provider passes the conformance suite on a stand-in for its cloud.

mod cloud;

use cloud::StandIn;
use lifecycle_conformance::suite::{Matrix, run_in_paused_time};

#[test]
fn the_provider_conforms() {
    let column = run_in_paused_time("example", || Ok(StandIn::new()));
    let matrix = Matrix::new(vec![column]);
    println!("{matrix}");
    assert!(matrix.is_green(), "{matrix}");
    assert!(matrix.count("pass") > 70, "{matrix}");
}
