//! `GroupLeases`: the division of groups among controllers that share a store.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use async_trait::async_trait;

use crate::store::{Store, StoreError};

/// Divides the groups of a fleet among the living controllers.
///
/// A lease only divides the work. Safety does not depend on a lease: the store refuses a second call for the
/// same instance, and the records of a controller that has lost a group.
#[async_trait]
pub trait GroupLeases: fmt::Debug + Send + Sync + 'static {
    /// Returns the share of the coming pass. The groups of one bundle share machines, and stay together.
    /// Dropping the share ends the pass.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read or written. Nothing may be sent then.
    async fn begin_pass(&self, bundles: &[BTreeSet<String>]) -> Result<Share, StoreError>;

    /// Waits until the share has another group than before, for example after the end of another
    /// controller.
    async fn changed(&self);

    /// Waits until the store does not answer, and returns its error. A pass can wait for machines for minutes; the
    /// renewals of the leases notice earlier. The default waits forever.
    async fn unavailable(&self) -> StoreError {
        std::future::pending().await
    }
}

/// The groups on which one controller acts in a pass.
#[non_exhaustive]
pub struct Share {
    /// The groups.
    pub groups: BTreeSet<String>,
    /// The groups of other controllers, and their holders.
    pub elsewhere: BTreeMap<String, Holder>,
    /// The store for the records of the pass. The store refuses the records after the loss of the groups.
    pub store: Arc<dyn Store>,
    /// Dropped at the end of the pass.
    _pass: Box<dyn Any + Send + Sync>,
}

/// A controller that has a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The name, such as `ops@bastion`.
    pub name: String,
    /// The kind: `run` or `apply`.
    pub kind: String,
    /// The id of the process.
    pub pid: i64,
}

impl Holder {
    /// Returns a holder.
    pub fn new(name: impl Into<String>, kind: impl Into<String>, pid: i64) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            pid,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "lifecycle {} of {}, process {}",
            self.kind, self.name, self.pid
        )
    }
}

impl Share {
    /// Returns a share. `pass` is dropped at the end of the pass.
    pub fn new(
        groups: BTreeSet<String>,
        elsewhere: BTreeMap<String, Holder>,
        store: Arc<dyn Store>,
        pass: impl Any + Send + Sync,
    ) -> Self {
        Self {
            groups,
            elsewhere,
            store,
            _pass: Box::new(pass),
        }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("groups", &self.groups)
            .field("elsewhere", &self.elsewhere)
            .finish_non_exhaustive()
    }
}
