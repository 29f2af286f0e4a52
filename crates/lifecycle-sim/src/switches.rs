//! What nobody outside the vendors knows, as settings: see the `switches` file of each cloud.

use crate::{
    aliyun::Switches as AliyunSwitches, baidu::Switches as BaiduSwitches,
    huawei::Switches as HuaweiSwitches, zenlayer::Switches as ZenlayerSwitches,
};

/// How the simulated clouds behave where the vendors' documents are silent or contradict each
/// other. A correct client works under every setting.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Switches {
    /// Of Baidu BCC.
    pub baidu: BaiduSwitches,
    /// Of Alibaba ECS.
    pub aliyun: AliyunSwitches,
    /// Of Zenlayer ZEC.
    pub zenlayer: ZenlayerSwitches,
    /// Of Huawei ECS.
    pub huawei: HuaweiSwitches,
    /// Whether a throttled call is told how long to wait, in the form that the cloud's own SDK reads.
    /// No cloud documents it. Given.
    pub throttle_hint: Hint,
}

impl Switches {
    /// All settings drawn by chance, the same ones for the same seed.
    pub fn random(seed: u64) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        Self {
            baidu: BaiduSwitches::random(&mut chance.fork()),
            aliyun: AliyunSwitches::random(&mut chance.fork()),
            zenlayer: ZenlayerSwitches::random(&mut chance.fork()),
            huawei: HuaweiSwitches::random(&mut chance.fork()),
            throttle_hint: draw(
                &mut chance,
                &[Hint::Given, Hint::Withheld],
                Hint::default(),
            ),
        }
    }
}

/// Whether a throttled call is told how long to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// It is.
    #[default]
    Given,
    /// It is not.
    Withheld,
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

/// One of `values`, by chance.
pub(crate) fn draw<T: Copy>(chance: &mut fastrand::Rng, values: &[T], otherwise: T) -> T {
    chance.choice(values).copied().unwrap_or(otherwise)
}
