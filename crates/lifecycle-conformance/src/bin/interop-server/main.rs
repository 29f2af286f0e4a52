//! Serves simulated clouds to clients in other languages, and turns their knobs.
//!
//! Commands come on standard input, one JSON object a line, and each is answered by one line on
//! standard output: a JSON object, with the member `error` when the command could not be carried out.
//! `{"do": "serve", "fleet": "baidu/bj=3"}` makes new clouds on a free port of the loopback address
//! and tells where they are; the other commands are about the clouds made last. The program ends
//! with its standard input, so it cannot outlive whoever started it.

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
            runtime.block_on(obey(lines()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("interop-server: no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers commands until there are no more.
async fn obey(mut lines: UnboundedReceiver<String>) {
    let mut clouds = None;
    while let Some(line) = lines.recv().await {
        let answer = answer(&mut clouds, &line)
            .await
            .unwrap_or_else(|error| serde_json::json!({ "error": error }));
        // Nobody reads any more: then nobody asks any more either, and the input ends.
        let _ = writeln!(stdout(), "{answer}");
    }
}

async fn answer(clouds: &mut Option<Clouds>, line: &str) -> Result<serde_json::Value, String> {
    let command: Command = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match command {
        Command::Serve(order) => {
            let made = Clouds::serve(&order).await?;
            let introduction = made.introduction();
            *clouds = Some(made);
            Ok(introduction)
        }
        command => match clouds {
            Some(clouds) => clouds.obey(&command),
            None => Err("nothing is served yet".to_owned()),
        },
    }
}

/// The lines of standard input. Reading blocks, so a thread of its own does it.
fn lines() -> UnboundedReceiver<String> {
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
