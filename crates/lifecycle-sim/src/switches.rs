//! What nobody outside the vendors knows, as settings.

/// Defines a struct of settings together with their names and words as data.
macro_rules! describe_fields {
    ($(#[$about:meta])* pub struct $name:ident {
        $($(#[doc = $what:literal])+ pub $switch:ident: $kind:ty),+ $(,)?
    }) => {
        $(#[$about])*
        pub struct $name {
            $($(#[doc = $what])+ pub $switch: $kind),+
        }

        impl $name {
            /// Each setting's name and documentation, in the order of their definition.
            pub(crate) const DESCRIPTIONS: &[crate::behaviour::SwitchDescription] = &[$(
                crate::behaviour::SwitchDescription::new(stringify!($switch), concat!($($what),+))
            ),+];
        }
    };
}
pub(crate) use describe_fields;

describe_fields! {
    /// How the simulated clouds behave where the vendors' documents are silent or contradict each
    /// other. A correct client works under every setting.
    #[derive(Clone, Debug, Default, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// Of Baidu BCC.
        pub baidu: baidu::Switches,
        /// Of Alibaba ECS.
        pub aliyun: aliyun::Switches,
        /// Of Zenlayer ZEC.
        pub zenlayer: zenlayer::Switches,
        /// Of Huawei ECS.
        pub huawei: huawei::Switches,
        /// Whether a throttled call is told how long to wait, in the form that the cloud's own SDK reads.
        /// No cloud documents it. Given.
        pub throttle_hint: RetryAfterHint,
    }
}

/// The settings of Baidu BCC.
pub mod baidu {
    pub use crate::baidu::switches::*;
}

/// The settings of Alibaba ECS.
pub mod aliyun {
    pub use crate::aliyun::switches::*;
}

/// The settings of Zenlayer ZEC.
pub mod zenlayer {
    pub use crate::zenlayer::switches::*;
}

/// The settings of Huawei ECS.
pub mod huawei {
    pub use crate::huawei::switches::*;
}

impl Switches {
    /// All settings drawn by chance, the same ones for the same seed.
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

/// Declares a setting: an enum whose default is marked, and which can be drawn by chance.
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
    /// Whether a throttled call is told how long to wait.
    RetryAfterHint {
        /// It is.
        #[default]
        Given,
        /// It is not.
        Withheld,
    }
}

/// One of `values`, by chance.
pub(crate) fn draw<T: Copy>(rng: &mut fastrand::Rng, values: &[T], otherwise: T) -> T {
    rng.choice(values).copied().unwrap_or(otherwise)
}
