//! `InstanceTemplate`: the name, tags, addresses and billing of simulated instances.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::SystemTime};

use jiff::{SignedDuration, Timestamp};
use lifecycle_core::{ChargeType, Tag};

use crate::{
    Impairment,
    cloud_state::{CloudState, InstanceIndex},
};

/// The facts about instances besides the state. Facts that a template does not set are derived from the
/// number of the instance.
///
/// ```
/// use lifecycle_sim::{InstanceTemplate, Simulator};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let web = InstanceTemplate::new().name("web-#").tag("env", "dev").zone("cn-hangzhou-h");
/// let simulator = Simulator::builder()
///     .instances("aliyun/cn-hangzhou=3:running", web)?
///     .build();
/// assert_eq!(simulator.name_of(&simulator.instances()[2]).as_deref(), Some("web-3"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceTemplate {
    name: Option<String>,
    tags: Vec<Tag>,
    zone: Option<String>,
    instance_type: Option<String>,
    private_ips: Vec<String>,
    public_ips: PublicIps,
    charge_type: Option<ChargeType>,
    created_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
}

/// The public addresses of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum PublicIps {
    #[default]
    None,
    /// One address, which is derived from the number of the instance.
    Derived,
    Set(Vec<String>),
}

impl InstanceTemplate {
    /// Creates a template that sets no fact.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name. `#` stands for a number, which counts from 1 the instances of the cloud with this
    /// name. The default is `vm-` and the number of the instance.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a tag; none by default.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key.into(), value.into()));
        self
    }

    /// Sets the availability zone. The default is a zone of the region.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Sets the instance type (flavor).
    #[must_use]
    pub fn instance_type(mut self, instance_type: impl Into<String>) -> Self {
        self.instance_type = Some(instance_type.into());
        self
    }

    /// Adds a private address. The default is one address in `10.0.0.0/8`, which no other instance of the
    /// cloud has.
    #[must_use]
    pub fn private_ip(mut self, address: impl Into<String>) -> Self {
        self.private_ips.push(address.into());
        self
    }

    /// Gives each instance a public address in `198.18.0.0/15`. By default there is none.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public_ips = PublicIps::Derived;
        self
    }

    /// Adds a public address.
    #[must_use]
    pub fn public_ip(mut self, address: impl Into<String>) -> Self {
        match &mut self.public_ips {
            PublicIps::Set(addresses) => addresses.push(address.into()),
            none => *none = PublicIps::Set(vec![address.into()]),
        }
        self
    }

    /// Sets the payment method. The default is pay per use; every eighth instance of Alibaba is prepaid.
    /// [`ChargeType::Other`] is the text in the response. Zenlayer's responses have no payment method.
    #[must_use]
    pub fn charge_type(mut self, charge_type: ChargeType) -> Self {
        self.charge_type = Some(charge_type);
        self
    }

    /// Sets the time of the creation.
    #[must_use]
    pub fn created_at(mut self, time: SystemTime) -> Self {
        self.created_at = Some(time);
        self
    }

    /// Sets the end of the paid term. The default of a prepaid instance is 30 days after the start of the
    /// simulator; an instance with [`Impairment::Expired`] expired a day before the start.
    #[must_use]
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }
}

/// Parses one attribute of a fleet specification, such as `name=web-#`.
pub(crate) fn with_attribute(
    template: InstanceTemplate,
    attribute: &str,
) -> Result<InstanceTemplate, String> {
    if attribute == "public" {
        return Ok(template.public());
    }
    if let Some(tag) = attribute.strip_prefix("tag:") {
        return match tag.split_once('=').unwrap_or((tag, "")) {
            ("", _) => Err(format!("tag without a key in {attribute:?}")),
            (key, value) => Ok(template.tag(key, value)),
        };
    }
    match attribute.split_once('=') {
        Some(("name", name)) if !name.is_empty() => Ok(template.name(name)),
        Some(("zone", zone)) if !zone.is_empty() => Ok(template.zone(zone)),
        Some(("type", instance_type)) if !instance_type.is_empty() => {
            Ok(template.instance_type(instance_type))
        }
        Some(("charge", "postpaid")) => Ok(template.charge_type(ChargeType::Postpaid)),
        Some(("charge", "prepaid")) => Ok(template.charge_type(ChargeType::Prepaid)),
        Some(("charge", "spot")) => Ok(template.charge_type(ChargeType::Spot)),
        _ => Err(format!(
            "unknown attribute {attribute:?}; known attributes: name=NAME, tag:KEY=VALUE, zone=ZONE, \
             type=TYPE, charge=postpaid|prepaid|spot, public"
        )),
    }
}

/// The templates of all instances of a cloud. One entry stands for many instances, so an instance without
/// a template takes no memory here.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    /// In the order of the instances.
    ranges: Vec<TemplateRange>,
    /// The instances with another template than at the creation.
    replaced: HashMap<u32, NumberedTemplate>,
    /// The last number of each name with `#`.
    numbers: HashMap<String, u32>,
}

#[derive(Clone, Debug)]
struct TemplateRange {
    /// The number of the first instance.
    first: u32,
    template: NumberedTemplate,
}

#[derive(Clone, Debug)]
struct NumberedTemplate {
    template: Arc<InstanceTemplate>,
    /// The number in the name of the first instance.
    first_number: u32,
}

impl Templates {
    /// Uses the template for `count` instances from the instance with the number `first`.
    pub(crate) fn assign(&mut self, first: u32, count: usize, template: &Arc<InstanceTemplate>) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let template = self.numbered(count, template);
        self.ranges.push(TemplateRange { first, template });
    }

    /// Ends the use of the last template at the instance with the number `end`.
    pub(crate) fn end(&mut self, end: u32) {
        if !self.ranges.is_empty() {
            self.assign(end, 0, &Arc::default());
        }
    }

    fn replace(&mut self, index: InstanceIndex, template: &Arc<InstanceTemplate>) {
        let template = self.numbered(1, template);
        self.replaced.insert(index.number(), template);
    }

    fn numbered(&mut self, count: u32, template: &Arc<InstanceTemplate>) -> NumberedTemplate {
        let first_number = match &template.name {
            Some(name) => {
                let last = self.numbers.entry(name.clone()).or_default();
                let first = last.saturating_add(1);
                *last = last.saturating_add(count);
                first
            }
            None => 1,
        };
        NumberedTemplate {
            template: Arc::clone(template),
            first_number,
        }
    }

    /// Returns the template and the number in the name.
    fn of(&self, index: InstanceIndex) -> (&InstanceTemplate, u32) {
        let number = index.number();
        if let Some(replaced) = self.replaced.get(&number) {
            return (&replaced.template, replaced.first_number);
        }
        let after = self.ranges.partition_point(|range| range.first <= number);
        match after.checked_sub(1).and_then(|last| self.ranges.get(last)) {
            Some(range) => {
                let number = range.template.first_number + (number - range.first);
                (&range.template.template, number)
            }
            None => (&EMPTY, number),
        }
    }
}

static EMPTY: InstanceTemplate = InstanceTemplate {
    name: None,
    tags: Vec::new(),
    zone: None,
    instance_type: None,
    private_ips: Vec::new(),
    public_ips: PublicIps::None,
    charge_type: None,
    created_at: None,
    expires_at: None,
};

/// The facts about one instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Details<'c> {
    cloud: &'c CloudState,
    index: InstanceIndex,
    template: &'c InstanceTemplate,
    name_number: u32,
}

impl CloudState {
    /// Returns the facts about an instance.
    pub(crate) fn details(&self, index: InstanceIndex) -> Details<'_> {
        let (template, name_number) = self.templates.of(index);
        Details {
            cloud: self,
            index,
            template,
            name_number,
        }
    }

    /// Replaces all facts about an instance.
    pub(crate) fn set_template(&mut self, index: InstanceIndex, template: &Arc<InstanceTemplate>) {
        self.templates.replace(index, template);
    }
}

impl<'c> Details<'c> {
    pub(crate) fn name(&self) -> Cow<'c, str> {
        match &self.template.name {
            Some(name) if name.contains('#') => {
                name.replace('#', &self.name_number.to_string()).into()
            }
            Some(name) => name.into(),
            None => format!("vm-{:06}", self.index.number()).into(),
        }
    }

    pub(crate) fn tags(&self) -> &'c [Tag] {
        &self.template.tags
    }

    /// Returns the value of the tag.
    pub(crate) fn tag(&self, key: &str) -> Option<&'c str> {
        let mut tags = self.tags().iter();
        let tag = tags.find(|tag| *tag.key == *key)?;
        Some(&tag.value)
    }

    /// Returns the zone of the template.
    pub(crate) fn zone(&self) -> Option<&'c str> {
        self.template.zone.as_deref()
    }

    /// Returns the instance type of the template.
    pub(crate) fn instance_type(&self) -> Option<&'c str> {
        self.template.instance_type.as_deref()
    }

    pub(crate) fn private_ips(&self) -> Vec<String> {
        if self.template.private_ips.is_empty() {
            let [_, second, third, fourth] = self.index.number().to_be_bytes();
            return vec![format!("10.{second}.{third}.{fourth}")];
        }
        self.template.private_ips.clone()
    }

    pub(crate) fn public_ips(&self) -> Vec<String> {
        match &self.template.public_ips {
            PublicIps::None => Vec::new(),
            PublicIps::Derived => {
                let [_, second, third, fourth] = self.index.number().to_be_bytes();
                vec![format!("198.{}.{third}.{fourth}", 18 + second % 2)]
            }
            PublicIps::Set(addresses) => addresses.clone(),
        }
    }

    /// Returns the payment method of the template.
    pub(crate) fn charge_type(&self) -> Option<&'c ChargeType> {
        self.template.charge_type.as_ref()
    }

    /// Returns the creation time of the template.
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        timestamp(self.template.created_at)
    }

    /// Returns the end of the paid term of the template, of an expired instance, and of an instance with
    /// `is_prepaid`.
    pub(crate) fn expires_at(&self, is_prepaid: bool) -> Option<Timestamp> {
        let expired = self.cloud.instance(self.index).impairment == Some(Impairment::Expired);
        let days = match timestamp(self.template.expires_at) {
            Some(time) => return Some(time),
            None if expired => -1,
            None if is_prepaid => 30,
            None => return None,
        };
        let span = SignedDuration::from_hours(24 * days);
        self.cloud.epoch().checked_add(span).ok()
    }
}

fn timestamp(time: Option<SystemTime>) -> Option<Timestamp> {
    Timestamp::try_from(time?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cloud, SimulatedState::Running, testing::cloud_state};

    #[test]
    fn numbers_in_names_continue_over_groups_and_derived_names_do_not() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let web = Arc::new(InstanceTemplate::new().name("web-#"));
        let db = Arc::new(InstanceTemplate::new().name("db"));
        for (count, template) in [
            (2, Some(&web)),
            (1, None),
            (1, Some(&db)),
            (1, Some(&web)),
            (1, None),
            (1, Some(&web)),
        ] {
            cloud.add_group("cn-hangzhou", count, (Running, None), template);
        }
        let names: Vec<_> = cloud
            .instances()
            .map(|index| cloud.details(index).name().into_owned())
            .collect();
        assert_eq!(
            names,
            [
                "web-1",
                "web-2",
                "vm-000002",
                "db",
                "web-3",
                "vm-000005",
                "web-4"
            ]
        );
    }

    #[test]
    fn replaced_template_belongs_to_one_instance() {
        let mut cloud = cloud_state(Cloud::Baidu);
        let web = Arc::new(InstanceTemplate::new().name("web-#").tag("env", "dev"));
        cloud.add_group("bj", 3, (Running, None), Some(&web));
        let second = cloud.instances().nth(1).unwrap();
        let other = InstanceTemplate::new().name("web-#").tag("env", "prod");
        cloud.set_template(second, &Arc::new(other));
        let shown: Vec<_> = cloud
            .instances()
            .map(|index| cloud.details(index))
            .map(|details| (details.name().into_owned(), details.tag("env").unwrap()))
            .collect();
        let expected = [("web-1", "dev"), ("web-4", "prod"), ("web-3", "dev")];
        assert_eq!(shown, expected.map(|(name, env)| (name.to_owned(), env)));
    }

    #[test]
    fn invalid_attribute_is_refused() {
        for attribute in [
            "name=",
            "tag:=x",
            "zone",
            "charge=free",
            "colour=red",
            "tag",
        ] {
            let error = with_attribute(InstanceTemplate::new(), attribute).unwrap_err();
            assert!(error.contains(attribute), "{error}");
        }
    }
}
