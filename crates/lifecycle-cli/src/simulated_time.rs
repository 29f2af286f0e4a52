//! The clock of simulated commands, which runs faster than real time.
//!
//! A simulated instance takes half a minute to start, and a cloud allows one poll every few seconds.
//! A faster clock keeps instances, polls, retries and deadlines in proportion, so a simulated
//! command makes as many calls as a real one.

use std::{convert::Infallible, io, thread, time::Duration};

use tokio::{runtime::Builder, time::sleep};

/// Speed of the clock as a multiple of real time.
pub(crate) const SPEED: u32 = 15;
/// Longest jump of the clock.
const TICK: Duration = Duration::from_millis(60);

/// Runs `command` with a clock that is [`SPEED`] times as fast as real time.
///
/// # Errors
/// The runtime cannot start.
pub(crate) fn block_on<F: Future>(command: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(async {
        tokio::select! {
            output = command => output,
            never = advance_clock() => match never {},
        }
    }))
}

/// Runs `command` with a clock that jumps over every wait.
///
/// # Errors
/// The runtime cannot start.
pub(crate) fn block_on_at_full_speed<F: Future>(command: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(command))
}

/// Advances the clock in small steps. A paused clock jumps to the earliest timer, so a timer for
/// every [`TICK`], followed by a real pause, limits the speed.
async fn advance_clock() -> Infallible {
    loop {
        sleep(TICK).await;
        thread::sleep(TICK / SPEED);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares with the real clock")]
    fn fifteen_simulated_seconds_take_one_real_second() {
        let real = std::time::Instant::now();
        let simulated = block_on(async {
            let start = Instant::now();
            sleep(Duration::from_secs(15)).await;
            start.elapsed()
        });
        assert_eq!(simulated.unwrap().as_secs(), 15);
        let took = real.elapsed();
        assert!(took >= Duration::from_millis(900), "{took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}
