//! What nobody outside the vendors knows, as settings.

/// Defines a struct of settings together with their names and words as data.
macro_rules! described {
    ($(#[$about:meta])* pub struct $name:ident {
        $($(#[doc = $what:literal])+ pub $switch:ident: $kind:ty),+ $(,)?
    }) => {
        $(#[$about])*
        pub struct $name {
            $($(#[doc = $what])+ pub $switch: $kind),+
        }

        impl $name {
            /// Each setting's name and documentation, in the order of their definition.
            pub(crate) const DESCRIBED: &[crate::marks::SwitchDescription] = &[$(
                crate::marks::SwitchDescription::new(stringify!($switch), concat!($($what),+))
            ),+];
        }
    };
}
pub(crate) use described;

described! {
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
        pub throttle_hint: Hint,
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
        let mut chance = fastrand::Rng::with_seed(seed);
        Self {
            baidu: baidu::Switches::random(&mut chance.fork()),
            aliyun: aliyun::Switches::random(&mut chance.fork()),
            zenlayer: zenlayer::Switches::random(&mut chance.fork()),
            huawei: huawei::Switches::random(&mut chance.fork()),
            throttle_hint: Hint::draw(&mut chance),
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
            pub(crate) fn draw(chance: &mut fastrand::Rng) -> Self {
                crate::switches::draw(chance, &[$(Self::$choice),+], Self::default())
            }
        }
    };
}
pub(crate) use setting;

setting! {
    /// Whether a throttled call is told how long to wait.
    Hint {
        /// It is.
        #[default]
        Given,
        /// It is not.
        Withheld,
    }
}

/// One of `values`, by chance.
pub(crate) fn draw<T: Copy>(chance: &mut fastrand::Rng, values: &[T], otherwise: T) -> T {
    chance.choice(values).copied().unwrap_or(otherwise)
}
