//! `SelectInstances`: selects the instances of a request when the request runs.

use std::{fmt, pin::Pin, sync::Arc};

use lifecycle_core::ActionKind;

use super::{
    Client,
    target::{IntoInstances, Target, distinct_instances},
};
use crate::power::report::InstanceReport;

/// A selection of instances that needs calls, such as "all instances with a tag".
///
/// A request with a selection ([`PowerRequest::select`](crate::PowerRequest::select)) first selects the
/// instances, and then acts on them. The facade implements the trait for selections by name, tags and state;
/// a program can implement the trait for its own selections.
pub trait SelectInstances<T: Target = Client>: fmt::Debug + Send + Sync + 'static {
    /// Selects the instances for an action. `action` is `None` for a request that only waits.
    ///
    /// # Errors
    /// An error fails the whole request, and no action is sent.
    fn select<'s>(&'s self, target: &'s T, action: Option<ActionKind>) -> SelectFuture<'s, T>;
}

/// The future of [`SelectInstances::select`].
pub type SelectFuture<'s, T> =
    Pin<Box<dyn Future<Output = Result<SelectedInstances<T>, <T as Target>::Error>> + Send + 's>>;

/// The result of [`SelectInstances::select`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelectedInstances<T: Target = Client> {
    /// The instances of the request.
    pub instances: Vec<T::Instance>,
    /// The rows of instances that the request leaves alone, with the reasons. The report begins with these rows.
    pub left_alone: Vec<InstanceReport<T::Instance>>,
    /// The selection in words, for [`Report::selected_by`](crate::Report::selected_by).
    pub description: Option<String>,
}

impl<T: Target> SelectedInstances<T> {
    /// Returns the result for these instances.
    pub fn new(instances: Vec<T::Instance>) -> Self {
        Self {
            instances,
            left_alone: Vec::new(),
            description: None,
        }
    }

    /// Sets the selection in words, such as "all regions, tag env=dev".
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the rows of the instances that the request leaves alone.
    #[must_use]
    pub fn with_left_alone(mut self, rows: Vec<InstanceReport<T::Instance>>) -> Self {
        self.left_alone = rows;
        self
    }
}

/// The instances of a request before the request runs.
#[derive(Clone, Debug)]
pub(super) enum RequestInstances<T: Target> {
    /// The instances that the caller named, or the error of an invalid name.
    Named(Result<Vec<T::Instance>, T::Error>),
    /// The selection that the request makes when the request runs.
    Selected(Arc<dyn SelectInstances<T>>),
}

impl<T: Target> RequestInstances<T> {
    /// Returns the named instances, each once.
    pub(super) fn named(target: &T, instances: impl IntoInstances<T>) -> Self {
        Self::Named(distinct_instances(target, instances))
    }

    /// Returns the named instances and the selection; one of them is empty.
    pub(super) fn split(self) -> Result<SplitInstances<T>, T::Error> {
        match self {
            Self::Named(instances) => Ok((instances?, None)),
            Self::Selected(selection) => Ok((Vec::new(), Some(selection))),
        }
    }
}

/// The named instances of a request, and the selection of a request.
pub(super) type SplitInstances<T> = (Vec<<T as Target>::Instance>, Selection<T>);

/// The selection of a request; `None` for a request with named instances.
pub(super) type Selection<T> = Option<Arc<dyn SelectInstances<T>>>;
