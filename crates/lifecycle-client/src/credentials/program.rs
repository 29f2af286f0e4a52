//! Programs that print a key.

use std::{io, process::Stdio, time::Duration};

use lifecycle_core::{Fault, credential_source::unusable};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

use crate::file;

/// Returns the standard output of a program. Drops the standard error, which can quote secrets.
///
/// The program is killed if the output is too long, if the program runs for too long, and if the caller
/// drops the future.
pub(super) async fn program_output(command: &[String]) -> Result<String, Fault> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(unusable("the command of the profile", "is empty"));
    };
    let failed = |reason: String| unusable(&format!("the program {program:?}"), &reason);
    let printed = timeout(PROGRAM_LIMIT, run(program, arguments));
    let (status, output) = printed
        .await
        .map_err(|_| {
            failed(format!(
                "printed no key within {} s",
                PROGRAM_LIMIT.as_secs()
            ))
        })?
        .map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                failed(format!("printed more than {} KiB", MAX_OUTPUT >> 10))
            }
            _ => failed(format!("cannot be run: {error}")),
        })?;
    if !status.success() {
        return Err(failed(format!("failed: {status}")));
    }
    let output = file::read_limited(&*output, MAX_OUTPUT).and_then(file::into_text);
    output.map_err(|_| failed("printed output that is not text".into()))
}

/// The time limit of a program. The program may ask the user a question.
const PROGRAM_LIMIT: Duration = Duration::from_secs(60);

/// The time from the end of the program to the end of the output. A process that the program leaves
/// behind can keep the output open for ever.
const LAST_OUTPUT_LIMIT: Duration = Duration::from_secs(1);

/// The size limit of the output. A key has a few kilobytes.
const MAX_OUTPUT: u64 = 1 << 20;

async fn run(
    program: &str,
    arguments: &[String],
) -> io::Result<(std::process::ExitStatus, Vec<u8>)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut output = Vec::new();
    let exited = tokio::select! {
        read = read_output(&mut stdout, &mut output) => {
            read?;
            None
        }
        status = child.wait() => Some(status?),
    };
    let status = match exited {
        None => child.wait().await?,
        Some(status) => {
            // What was read counts, also if the end of the output does not come.
            if let Ok(read) =
                timeout(LAST_OUTPUT_LIMIT, read_output(&mut stdout, &mut output)).await
            {
                read?;
            }
            status
        }
    };
    Ok((status, output))
}

/// Appends to `output`, up to the end or to the limit. Loses nothing if the future is dropped.
async fn read_output(
    stdout: &mut (impl AsyncRead + Unpin),
    output: &mut Vec<u8>,
) -> io::Result<()> {
    while stdout.read_buf(output).await? > 0 {
        if output.len() as u64 > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn shell(script: &str) -> Result<String, String> {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        let output = program_output(&command).await;
        output.map_err(|fault| fault.message().to_owned())
    }

    #[tokio::test]
    async fn output_is_limited_and_read_to_the_end() {
        let longest = 1 << 20;
        let output = shell(&format!("head -c {longest} /dev/zero | tr '\\0' x")).await;
        assert_eq!(output.map(|text| text.len()), Ok(longest));
        let output = shell("head -c 1048577 /dev/zero").await;
        assert!(output.unwrap_err().ends_with("printed more than 1024 KiB"));
        let output = shell("exec cat /dev/zero").await;
        assert!(output.unwrap_err().ends_with("printed more than 1024 KiB"));
        assert_eq!(
            shell("printf '\\357\\273\\277key'").await.as_deref(),
            Ok("key")
        );
        assert!(
            shell("printf '\\377'")
                .await
                .unwrap_err()
                .ends_with("not text")
        );
        assert!(
            shell("echo key; exit 3")
                .await
                .unwrap_err()
                .contains("failed")
        );
    }

    #[tokio::test]
    async fn output_ends_when_the_program_closes_its_standard_output() {
        let (program, mut stdout) = tokio::io::duplex(64);
        drop(program);
        let mut output = Vec::new();
        let read = timeout(
            Duration::from_secs(5),
            read_output(&mut stdout, &mut output),
        );
        read.await.expect("the end is recognized").unwrap();
        assert_eq!(output, b"");
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "measures a real program")]
    async fn process_left_behind_does_not_hold_up_the_output() {
        let start = Instant::now();
        assert_eq!(shell("sleep 20 & echo key").await.as_deref(), Ok("key\n"));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
