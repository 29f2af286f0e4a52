//! A rental panel: a browser sees the progress of a power action as server-sent events.
//!
//! The request of the browser is JSON, and so are the events. The browser reads slowly; the stop is sent in
//! time nevertheless, because a task carries the request out.

mod support;

use std::{error::Error, time::Duration};

use lifecycle_facade::{Action, Event, Fleet, InstanceReference, WaitTimeout};
use lifecycle_sim::SimulatedState;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};

/// Carries out the request of a browser, and sends the events. Works with every HTTP server whose response has
/// a writer.
async fn serve(
    fleet: &Fleet,
    request: &str,
    mut browser: impl AsyncWrite + Unpin,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let request: Value = serde_json::from_str(request)?;
    let machine: InstanceReference = serde_json::from_value(request["instance"].clone())?;
    let action: Action = serde_json::from_value(request["action"].clone())?;
    // A machine can still boot: the stop follows after the boot.
    let request = fleet.act(action, [&machine]).when_idle();
    // Without `spawn`, a browser that reads slowly would hold back the stop.
    let mut events = request.wait(WaitTimeout::minutes(10)).events().spawn();
    while let Some(event) = events.next().await {
        let (name, data) = match event {
            Event::Sending { .. } => ("sending", serde_json::to_string(&machine)?),
            Event::State { observation, .. } => ("state", serde_json::to_string(&observation)?),
            Event::Settled(row) => ("outcome", serde_json::to_string(&row)?),
            _ => continue,
        };
        let message = format!("event: {name}\ndata: {data}\n\n");
        browser.write_all(message.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    for spec in ["baidu/bj=1:starting", "zenlayer/global=1:starting"] {
        let (simulator, fleet) = support::simulated_fleet(spec)?;
        let machine = simulator.instances().remove(0);
        let request = format!(r#"{{"instance":"{machine}","action":{{"kind":"stop"}}}}"#);
        // The connection holds 64 bytes.
        let (server, mut browser) = duplex(64);
        let task = tokio::spawn(async move { serve(&fleet, &request, server).await });

        let mut first = [0; 12];
        browser.read_exact(&mut first).await?;
        assert_eq!(&first, b"event: state");
        // The tab of the browser sleeps. The machine is off, although the connection is full.
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(simulator.state_of(&machine), Some(SimulatedState::Stopped));

        let mut rest = String::new();
        browser.read_to_string(&mut rest).await?;
        task.await?.map_err(|error| error as Box<dyn Error>)?;
        assert!(rest.contains("event: sending"), "{rest}");
        let last = rest
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .next_back();
        let row: Value = serde_json::from_str(last.unwrap_or_default())?;
        println!("{machine}: {}", row["outcome"]);
        assert_eq!(
            (&row["outcome"], &row["instance"]),
            (&"reached".into(), &machine.into())
        );
    }
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
