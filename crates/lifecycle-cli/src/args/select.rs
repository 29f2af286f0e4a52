//! Arguments that select instances by their facts.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use lifecycle_facade::{InstanceFilter, NamePattern, PowerState, TagCondition};

/// The heading of the options in `--help`. Each option names the heading, because a heading of a whole
/// struct also applies to the options after the struct.
const SELECTION: &str = "Selection";

/// Conditions on instances.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct FilterArgs {
    /// Only instances with a matching name, for example 'ci-*'; several patterns: one must match
    #[arg(help_heading = SELECTION, long, value_name = "PATTERN")]
    name: Vec<NamePattern>,

    /// Only instances with this tag: env=dev, env (any value), !env (without the tag) or env!=prod;
    /// several conditions: all must hold
    #[arg(help_heading = SELECTION, long, value_name = "CONDITION")]
    tag: Vec<TagCondition>,

    /// Only instances in one of these states, for example running,stopped
    #[arg(
        help_heading = SELECTION,
        long,
        value_name = "STATE",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    state: Vec<StateName>,

    /// Only instances in one of these availability zones
    #[arg(help_heading = SELECTION, long, value_name = "ZONE", value_delimiter = ',')]
    zone: Vec<String>,

    /// Only instances of one of these types, for example ecs.g7.large
    #[arg(help_heading = SELECTION, long = "type", value_name = "TYPE", value_delimiter = ',')]
    instance_type: Vec<String>,

    /// Leave out instances with a matching name, id or reference
    #[arg(help_heading = SELECTION, long, value_name = "PATTERN")]
    exclude: Vec<NamePattern>,

    /// Exit with 1 if the selection has no instance, not with 0
    #[arg(help_heading = SELECTION, long)]
    pub(crate) fail_empty: bool,
}

impl FilterArgs {
    /// Returns `true` if the command line selects instances by facts.
    pub(crate) fn is_set(&self) -> bool {
        !self.filter().is_empty() || !self.exclude.is_empty()
    }

    /// Returns the conditions.
    pub(crate) fn filter(&self) -> InstanceFilter {
        let mut filter = InstanceFilter::default();
        filter.names.clone_from(&self.name);
        filter.tags.clone_from(&self.tag);
        filter.states = self.state.iter().map(|state| state.0).collect();
        filter.zones.clone_from(&self.zone);
        filter.instance_types.clone_from(&self.instance_type);
        filter
    }

    /// Returns the patterns of instances to leave out.
    pub(crate) fn exclude(&self) -> &[NamePattern] {
        &self.exclude
    }
}

/// A state on the command line.
#[derive(Clone, Copy, Debug)]
struct StateName(PowerState);

impl ValueEnum for StateName {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [StateName; PowerState::ALL.len()] = {
            let mut all = [StateName(PowerState::Unknown); PowerState::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = StateName(PowerState::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()))
    }
}

/// Confirmation and protection of a stop or a reboot.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct ConfirmArgs {
    /// Do not ask before an action on several selected instances. Only a terminal asks
    #[arg(help_heading = SELECTION, short, long)]
    pub(crate) yes: bool,

    /// Include instances that are protected by a tag or by the configuration file
    #[arg(help_heading = SELECTION, long)]
    pub(crate) include_protected: bool,
}
