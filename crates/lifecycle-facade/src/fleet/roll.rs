//! Carrying a request out: all clouds side by side, wave by wave.

use futures_util::{StreamExt, future::join_all};
use lifecycle_client::{Error, Event, EventStream, InstanceReport, Report, Waves};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    FleetError, InstanceReference, Location,
    order::{Group, Order},
    report::{FleetEvent, FleetReport, FleetRow},
};

pub(crate) async fn roll(
    order: Order,
    waves: Waves,
    begin: &(impl for<'c> Fn(&'c Group) -> EventStream<'c> + Sync),
    sender: &UnboundedSender<FleetEvent>,
) -> Result<FleetReport, FleetError> {
    let instances = order.references.len();
    let of = waves.ranges(instances).count();
    if of <= 1 {
        return carry_out(order, begin, sender).await;
    }
    let mut rows = Vec::with_capacity(instances);
    let mut failures = 0;
    for (number, wave) in (1..).zip(waves.ranges(instances)) {
        let part = order.part(wave);
        if waves.ends_after(failures) {
            rows.extend(part.references.iter().map(|reference| {
                let row = skipped(reference, failures);
                let event = Event::Settled(row.report.clone());
                tell(sender, FleetEvent::In(reference.location.clone(), event));
                row
            }));
            continue;
        }
        tell(
            sender,
            FleetEvent::Wave {
                number,
                of,
                instances: part.references.len(),
            },
        );
        let report = carry_out(part, begin, sender).await?;
        failures += report.failures().count();
        rows.extend(report);
    }
    Ok(FleetReport::new(rows))
}

fn skipped(reference: &InstanceReference, failures: usize) -> FleetRow {
    FleetRow {
        reference: reference.clone(),
        report: InstanceReport::skipped(reference.instance.clone(), Waves::halt(failures)),
    }
}

async fn carry_out(
    order: Order,
    begin: &(impl for<'c> Fn(&'c Group) -> EventStream<'c> + Sync),
    sender: &UnboundedSender<FleetEvent>,
) -> Result<FleetReport, FleetError> {
    let parts: Vec<_> = order
        .groups
        .iter()
        .map(|group| forward(&group.place, begin(group), sender))
        .collect();
    let reports = join_all(parts).await;
    let reports = reports.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(order.assemble(reports))
}

async fn forward(
    place: &Location,
    mut events: EventStream<'_>,
    sender: &UnboundedSender<FleetEvent>,
) -> Result<Report, Error> {
    let mut report = Ok(Report::default());
    while let Some(event) = events.next().await {
        match event {
            Event::Finished(result) => report = result,
            event => tell(sender, FleetEvent::In(place.clone(), event)),
        }
    }
    report
}

fn tell(sender: &UnboundedSender<FleetEvent>, event: FleetEvent) {
    // Nobody listens any more: the report will do.
    let _ = sender.send(event);
}
