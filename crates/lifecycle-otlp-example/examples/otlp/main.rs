//! Exports the spans of a program by OTLP: one span for each request, and one for each call to a cloud.
//!
//! The clouds are simulated, so the example needs no key: `cargo run -p lifecycle-otlp-example --example otlp`. The environment
//! variable `OTEL_EXPORTER_OTLP_ENDPOINT` names another collector than `http://localhost:4318`.

use std::error::Error;

use lifecycle_facade::{Fleet, WaitTimeout};
use lifecycle_sim::{FaultRule, InjectedFault, Operation, Simulator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;

type AnyError = Box<dyn Error>;

fn main() -> Result<(), AnyError> {
    let provider = provider(None)?;
    let _guard = tracing::subscriber::set_default(subscriber(&provider));
    start_machines()?;
    // Sends the last spans.
    provider.shutdown()?;
    Ok(())
}

/// Returns the provider that sends spans to a collector; `None` stands for the collector of the environment.
fn provider(endpoint: Option<&str>) -> Result<SdkTracerProvider, AnyError> {
    let mut exporter = SpanExporter::builder().with_http();
    if let Some(endpoint) = endpoint {
        exporter = exporter.with_endpoint(endpoint);
    }
    let resource = Resource::builder().with_service_name("night-shift");
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter.build()?)
        .with_resource(resource.build())
        .build())
}

/// Returns the subscriber that turns the spans of `tracing` into spans of OpenTelemetry. The field `otel.name`
/// becomes the name of a span: the cloud's own name of the call.
fn subscriber(provider: &SdkTracerProvider) -> impl Subscriber + Send + Sync + 'static {
    let tracer = provider.tracer("night-shift");
    tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer))
}

/// Starts simulated machines. A real program begins with `Fleet::from_environment`.
fn start_machines() -> Result<(), AnyError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // The simulated machines boot in no time.
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let simulator = Simulator::builder().fleet("aliyun/cn-hangzhou=3")?.build();
        // The trace shows the second attempt.
        let throttled = InjectedFault::Throttled { hint: None };
        simulator.inject(FaultRule::new(throttled).on(Operation::Start));
        let fleet = Fleet::simulated(&simulator);
        let start = fleet.start(simulator.instances());
        let report = start.wait(WaitTimeout::minutes(5)).await?;
        println!("all started: {}", report.is_success());
        Ok(())
    })
}

#[cfg(test)]
mod tests;
