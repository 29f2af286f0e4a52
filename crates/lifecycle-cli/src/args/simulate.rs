//! Arguments of `simulate`.

use std::net::SocketAddr;

use lifecycle_sim::{ParseFleetError, Simulator, SimulatorBuilder};

/// The arguments of `simulate`.
#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Address and port of the server; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070", value_parser = address)]
    pub(crate) listen: SocketAddr,

    /// Instances to create: cloud/region=COUNT or cloud/region=COUNT:STATE, separated by commas,
    /// for example baidu/bj=3,huawei/cn-north-4=2:running. Instances without STATE are stopped
    #[arg(long, value_name = "SPEC", value_parser = fleet)]
    pub(crate) fleet: Option<SimulatorBuilder>,

    /// Speed of the simulated instances: with 10 they start and stop 10 times as fast as real ones
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    pub(crate) speed: f64,
}

/// Reads an address with a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "invalid address {text:?}: write address:port, for example 127.0.0.1:7070 or [::1]:0"
        )
    })
}

fn fleet(text: &str) -> Result<SimulatorBuilder, ParseFleetError> {
    Simulator::builder().fleet(text)
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err(format!(
            "invalid speed {text:?}: write a number above 0, for example 10 or 0.5"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_accepts_only_finite_numbers_above_zero() {
        assert_eq!(speed("0.5"), Ok(0.5));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
    }
}

/// The arguments of `demo`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Play a day of five simulated instances under schedules, as fast as this machine can
    ///
    /// Office hours, a holiday, an instance that somebody starts by hand, a hold, a cloud without capacity,
    /// and a controller that is killed in the middle of a pass. Ends with the history.
    #[arg(long)]
    pub(crate) schedule: bool,
}
