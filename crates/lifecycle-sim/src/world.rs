//! All clouds together: one plain function from a request and a moment to what becomes of it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HeaderValue};

use crate::{
    Cloud, Executed, Hint,
    dialect::{Denial, Intent, Reason},
    fleet::Group,
    injected_fault::{ErrorBody, FaultTiming, InjectedFault, Mishaps},
    instance::Instance,
    ledger::{ActRecord, Calls},
    request::Received,
    response::{self, Response},
    site::{Index, Scope, Site},
    throttle::Gate,
    time::Timeline,
};

/// Everything that a simulator knows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) timeline: Timeline,
    pub(crate) calls: Calls,
    pub(crate) mishaps: Mishaps,
    pub(crate) chance: fastrand::Rng,
    pub(crate) clouds: [Place; 4],
}

/// One cloud and what stands in front of it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) site: Site,
    pub(crate) gate: Option<Gate>,
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// An answer, after a while.
    Answer(Response, Duration),
    /// The request never arrives.
    Unreachable,
    /// The connection breaks without an answer.
    Reset,
    /// The connection breaks in the middle of this answer.
    Truncated(Response),
    /// Nothing, ever.
    Silence,
}

impl World {
    /// Answers a request that comes now.
    pub(crate) fn exchange(&mut self, request: &Received) -> Delivery {
        let Some(cloud) = Cloud::ALL
            .into_iter()
            .find(|cloud| cloud.dialect().claims(request))
        else {
            return Delivery::Answer(nobody(), Duration::ZERO);
        };
        let intent = cloud.dialect().intent(request);
        let mishap = self.mishaps.draw(cloud, &intent, &mut self.chance);
        if mishap == Some(InjectedFault::Unreachable) {
            return Delivery::Unreachable;
        }
        let now = self.timeline.now();
        let place = self.place_mut(cloud);
        place.site.arrive(now, staleness(mishap.as_ref()));
        let (delivery, denied) = place.deliver(request, &intent, mishap.as_ref());
        self.calls
            .record(cloud, &intent, now, delivery.status(), denied, mishap);
        delivery
    }

    pub(crate) fn site(&self, cloud: Cloud) -> &Site {
        &self.clouds[cloud as usize].site
    }

    pub(crate) fn site_mut(&mut self, cloud: Cloud) -> &mut Site {
        &mut self.place_mut(cloud).site
    }

    pub(crate) fn place_mut(&mut self, cloud: Cloud) -> &mut Place {
        &mut self.clouds[cloud as usize]
    }

    /// The instance `cloud/region/id`, deleted or not. Zenlayer has one endpoint for all regions, so
    /// there the region `global` stands for any.
    pub(crate) fn lookup(&self, reference: &str) -> Option<(Cloud, Index)> {
        let mut parts = reference.splitn(3, '/');
        let cloud: Cloud = parts.next()?.parse().ok()?;
        let (region, id) = (parts.next()?, parts.next()?);
        let site = self.site(cloud);
        let index = site.any(id)?;
        let anywhere = cloud == Cloud::Zenlayer && region == "global";
        (anywhere || site.region(index) == region).then_some((cloud, index))
    }

    /// `cloud/region/id`.
    pub(crate) fn reference(&self, cloud: Cloud, index: Index) -> String {
        let site = self.site(cloud);
        format!(
            "{cloud}/{}/{}",
            site.region(index),
            site.instance(index).id()
        )
    }

    /// Makes instances.
    pub(crate) fn populate(&mut self, groups: &[Group]) {
        let now = self.timeline.now();
        for group in groups {
            let site = self.site_mut(group.cloud);
            site.arrive(now, Duration::ZERO);
            site.reserve(group.count);
            for _ in 0..group.count {
                site.add(&group.region, group.state, group.trouble);
            }
        }
    }

    pub(crate) fn executed(&self, reference: &str) -> Option<Executed> {
        let (cloud, index) = self.lookup(reference)?;
        Some(self.site(cloud).instance(index).executed)
    }

    pub(crate) fn every_instance(&self) -> impl Iterator<Item = &Instance> {
        self.clouds.iter().flat_map(|place| {
            place
                .site
                .instances()
                .map(|index| place.site.instance(index))
        })
    }

    pub(crate) fn acts(&self) -> Vec<ActRecord> {
        let mut acts: Vec<_> = Cloud::ALL
            .into_iter()
            .flat_map(|cloud| self.site(cloud).acts().iter().map(move |act| (cloud, act)))
            .map(|(cloud, act)| ActRecord {
                instance: self.reference(cloud, act.index),
                act: act.act,
                at: act.at.elapsed(),
            })
            .collect();
        acts.sort_by_key(|act| act.at);
        acts
    }
}

impl Place {
    fn deliver(
        &mut self,
        request: &Received,
        intent: &Intent,
        mishap: Option<&InjectedFault>,
    ) -> (Delivery, Option<Reason>) {
        if let Some(delivery) = self.cut_short(mishap) {
            return (delivery, None);
        }
        let (answer, denied) = self.answer(request, intent);
        (disturb(self.dated(answer), mishap, &mut self.site), denied)
    }

    /// What becomes of a call that a mishap keeps from the cloud.
    fn cut_short(&mut self, mishap: Option<&InjectedFault>) -> Option<Delivery> {
        match mishap? {
            InjectedFault::Unreachable => Some(Delivery::Unreachable),
            InjectedFault::Reset(FaultTiming::Before) => Some(Delivery::Reset),
            InjectedFault::Silence(FaultTiming::Before) => Some(Delivery::Silence),
            InjectedFault::ServerError {
                status,
                body,
                when: FaultTiming::Before,
            } => {
                let answer = server_error(&mut self.site, *status, *body);
                Some(Delivery::Answer(self.dated(answer), Duration::ZERO))
            }
            InjectedFault::Challenged => Some(Delivery::Answer(challenge(), Duration::ZERO)),
            InjectedFault::Blocked => {
                let answer = response::with_body(451, "text/plain", Bytes::new());
                Some(Delivery::Answer(answer, Duration::ZERO))
            }
            InjectedFault::Throttled { hint } => {
                let answer = self.site.cloud.dialect().throttled(&mut self.site, *hint);
                Some(Delivery::Answer(self.dated(answer), Duration::ZERO))
            }
            _ => None,
        }
    }

    /// The cloud's own answer.
    fn answer(&mut self, request: &Received, intent: &Intent) -> (Response, Option<Reason>) {
        let dialect = self.site.cloud.dialect();
        if let Err(Denial { reason, response }) = dialect.authenticate(&mut self.site, request) {
            return (*response, Some(reason));
        }
        self.site.account.spend(&intent.key);
        let now = self.site.now();
        if let Some(Err(wait)) = self.gate.as_mut().map(|gate| gate.pass(now)) {
            let hint = (self.site.switches.throttle_hint == Hint::Given).then_some(wait);
            return (dialect.throttled(&mut self.site, hint), None);
        }
        let scope = match dialect.region_of(request.hostname()) {
            Some(region) => self.site.scope(region),
            None => Scope::Everywhere,
        };
        (dialect.perform(&mut self.site, request, scope), None)
    }

    /// The answer with the cloud's time in its `Date` header.
    fn dated(&self, mut answer: Response) -> Response {
        let text = self
            .site
            .wall()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        if let Ok(value) = HeaderValue::from_str(&text) {
            answer.headers_mut().insert(DATE, value);
        }
        answer
    }
}

impl Delivery {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(response, _) => Some(response.status().as_u16()),
            _ => None,
        }
    }
}

fn staleness(mishap: Option<&InjectedFault>) -> Duration {
    match mishap {
        Some(InjectedFault::Stale(age)) => *age,
        _ => Duration::ZERO,
    }
}

/// What a mishap makes of the cloud's answer.
fn disturb(mut answer: Response, mishap: Option<&InjectedFault>, site: &mut Site) -> Delivery {
    let mut delay = Duration::ZERO;
    match mishap {
        Some(InjectedFault::Reset(_)) => return Delivery::Reset,
        Some(InjectedFault::Silence(_)) => return Delivery::Silence,
        Some(InjectedFault::Truncated) => return Delivery::Truncated(answer),
        Some(InjectedFault::ServerError { status, body, .. }) => {
            let date = answer.headers_mut().remove(DATE);
            answer = server_error(site, *status, *body);
            if let Some(date) = date {
                answer.headers_mut().insert(DATE, date);
            }
        }
        Some(InjectedFault::HalfBody) => {
            let half = answer.body().len() / 2;
            answer.body_mut().truncate(half);
        }
        Some(InjectedFault::Garbage) => {
            *answer.body_mut() = Bytes::from_static(b"\x00\xff\x1f\x8b{\"\xfe");
        }
        Some(InjectedFault::EmptyBody) => *answer.body_mut() = Bytes::new(),
        Some(InjectedFault::WrongContentType) => {
            let html = HeaderValue::from_static("text/html");
            answer.headers_mut().insert(CONTENT_TYPE, html);
        }
        Some(InjectedFault::Slow(wait)) => delay = *wait,
        // The first four never get here.
        Some(
            InjectedFault::Unreachable
            | InjectedFault::Challenged
            | InjectedFault::Blocked
            | InjectedFault::Throttled { .. }
            | InjectedFault::Stale(_),
        )
        | None => {}
    }
    Delivery::Answer(answer, delay)
}

fn server_error(site: &mut Site, status: u16, body: ErrorBody) -> Response {
    match body {
        ErrorBody::Empty => response::with_body(status, "text/plain", Bytes::new()),
        ErrorBody::Html => response::with_body(
            status,
            "text/html",
            format!("<html><body><h1>{status}</h1></body></html>"),
        ),
        ErrorBody::Json => site.cloud.dialect().failure(site, status),
    }
}

/// What a shield in front of a cloud answers when it wants to see a browser.
fn challenge() -> Response {
    let page = "<html><body>checking your browser</body></html>";
    let answer = response::with_body(403, "text/html", page);
    response::with_header(answer, "cf-mitigated", "challenge")
}

/// The answer to a request for no cloud.
fn nobody() -> Response {
    response::with_body(
        404,
        "text/plain",
        "no simulated cloud has this path; see the documentation of lifecycle-sim",
    )
}
