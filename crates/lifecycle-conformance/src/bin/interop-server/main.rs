//! Serves simulated clouds to clients in other languages, and changes the clouds on command.
//!
//! Reads commands from standard input, one JSON object per line, and answers each command with one
//! JSON object on standard output; the member `error` reports a failed command.
//! `{"do": "serve", "fleet": "baidu/bj=3", "speed": 1}` creates new clouds on a free port of the loopback
//! address and returns the URL; the other commands change the latest clouds. The program exits at the
//! end of standard input, and therefore never outlives the parent process.

mod command;
mod switch;

use std::{
    io::{BufRead, Write, stdin, stdout},
    process::ExitCode,
    thread,
};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use command::{Clouds, Command};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(serve_commands(stdin_lines()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("interop-server: no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers commands until the end of the input.
async fn serve_commands(mut lines: UnboundedReceiver<String>) {
    let mut clouds = None;
    while let Some(line) = lines.recv().await {
        let answer = answer(&mut clouds, &line)
            .await
            .unwrap_or_else(|error| serde_json::json!({ "error": error }));
        // A closed output means that the parent process has ended, so the input ends as well.
        let _ = writeln!(stdout(), "{answer}");
    }
}

async fn answer(clouds: &mut Option<Clouds>, line: &str) -> Result<serde_json::Value, String> {
    let command: Command = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match command {
        Command::Serve(settings) => {
            let served = Clouds::serve(&settings).await?;
            let description = served.describe();
            *clouds = Some(served);
            Ok(description)
        }
        command => match clouds {
            Some(clouds) => clouds.execute(&command),
            None => Err("no clouds yet: send serve first".to_owned()),
        },
    }
}

/// Reads the lines of standard input on a separate thread, because reads block.
fn stdin_lines() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
