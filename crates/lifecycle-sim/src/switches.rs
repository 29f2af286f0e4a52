//! Switches of the simulator: settings for vendor behaviour that no public source documents, or that
//! sources describe differently.

/// Defines a struct of settings, with the names and the documentation as data.
macro_rules! describe_fields {
    ($(#[$about:meta])* pub struct $name:ident {
        $($(#[doc = $what:literal])+ pub $switch:ident: $kind:ty),+ $(,)?
    }) => {
        $(#[$about])*
        pub struct $name {
            $($(#[doc = $what])+ pub $switch: $kind),+
        }

        impl $name {
            /// The name and the documentation of each setting, in the order of definition.
            pub(crate) const DESCRIPTIONS: &[crate::behaviour::SwitchDescription] = &[$(
                crate::behaviour::SwitchDescription::new(stringify!($switch), concat!($($what),+))
            ),+];
        }
    };
}
pub(crate) use describe_fields;

describe_fields! {
    /// The behaviour of the simulated clouds where the documentation is missing or contradictory. A
    /// correct client works with every setting.
    #[derive(Clone, Debug, Default, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// Switches of Baidu BCC.
        pub baidu: baidu::Switches,
        /// Switches of Alibaba ECS.
        pub aliyun: aliyun::Switches,
        /// Switches of Zenlayer ZEC.
        pub zenlayer: zenlayer::Switches,
        /// Switches of Huawei ECS.
        pub huawei: huawei::Switches,
        /// The time to wait in the response to a throttled call, in the form that the cloud's own
        /// SDK reads. No cloud documents such a time. Given by default.
        pub throttle_hint: RetryAfterHint,
    }
}

/// The switches of Baidu BCC.
pub mod baidu {
    pub use crate::baidu::switches::*;
}

/// The switches of Alibaba ECS.
pub mod aliyun {
    pub use crate::aliyun::switches::*;
}

/// The switches of Zenlayer ZEC.
pub mod zenlayer {
    pub use crate::zenlayer::switches::*;
}

/// The switches of Huawei ECS.
pub mod huawei {
    pub use crate::huawei::switches::*;
}

impl Switches {
    /// Draws all settings at random. The same seed gives the same settings.
    pub fn random(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            baidu: baidu::Switches::random(&mut rng.fork()),
            aliyun: aliyun::Switches::random(&mut rng.fork()),
            zenlayer: zenlayer::Switches::random(&mut rng.fork()),
            huawei: huawei::Switches::random(&mut rng.fork()),
            throttle_hint: RetryAfterHint::draw(&mut rng),
        }
    }
}

/// Declares a setting: an enum with a marked default that can be drawn at random.
macro_rules! setting {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $choice:ident),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$meaning])* $choice),+
        }

        impl $name {
            pub(crate) fn draw(rng: &mut fastrand::Rng) -> Self {
                crate::switches::draw(rng, &[$(Self::$choice),+], Self::default())
            }
        }
    };
}
pub(crate) use setting;

setting! {
    /// The time to wait in the response to a throttled call.
    RetryAfterHint {
        /// The response names the time to wait.
        #[default]
        Given,
        /// The response does not name the time to wait.
        Withheld,
    }
}

setting! {
    /// The filters that a list ignores. Every cloud documents that the filters have an effect; an older
    /// site, a compatible cloud or a proxy can ignore a filter.
    IgnoredFilters {
        /// None.
        #[default]
        None,
        /// Names.
        Names,
        /// Tags.
        Tags,
        /// States.
        States,
        /// All filters, except ids.
        All,
    }
}

impl IgnoredFilters {
    /// Returns `filter`, unless the list ignores filters of this kind.
    pub(crate) fn keep<T>(self, kind: Self, filter: Option<T>) -> Option<T> {
        filter.filter(|_| self != Self::All && self != kind)
    }
}

/// Draws one of `values` at random.
pub(crate) fn draw<T: Copy>(rng: &mut fastrand::Rng, values: &[T], otherwise: T) -> T {
    rng.choice(values).copied().unwrap_or(otherwise)
}
