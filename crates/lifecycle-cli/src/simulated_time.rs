//! The clock of simulated commands: the whole program in fast motion.
//!
//! Simulated machines take half a minute to boot, and the clouds ask their clients to look no more
//! than every few seconds. Rather than bend either for a demonstration, the clock itself runs
//! faster: machines, polls, pauses and deadlines keep their true proportions, and the numbers of
//! calls are those of real time.

use std::{convert::Infallible, io, thread, time::Duration};

use tokio::{runtime::Builder, time::sleep};

/// How many times as fast as real time it goes.
pub(crate) const SPEED: u32 = 15;

/// Runs `command` with a clock that goes [`SPEED`] times as fast as the real one.
///
/// # Errors
/// When the runtime cannot be started.
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

/// A paused clock jumps to the next thing that anybody sleeps for. Somebody who always sleeps for a
/// moment, and then takes a share of it in real time, makes it walk.
async fn advance_clock() -> Infallible {
    const BEAT: Duration = Duration::from_millis(60);
    loop {
        sleep(BEAT).await;
        thread::sleep(BEAT / SPEED);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compares with the real clock")]
    fn a_minute_passes_in_seconds_but_not_in_no_time() {
        let real = std::time::Instant::now();
        let simulated = block_on(async {
            let began = Instant::now();
            sleep(Duration::from_secs(15)).await;
            began.elapsed()
        });
        assert_eq!(simulated.unwrap().as_secs(), 15);
        let took = real.elapsed();
        assert!(took >= Duration::from_millis(900), "{took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}
