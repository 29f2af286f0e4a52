//! `Target`: the receiver of requests, which is a client or several clients behind one object.

use std::{
    collections::{BTreeMap, HashSet},
    error, fmt,
    hash::Hash,
};

use futures_util::future::try_join_all;
use lifecycle_core::InstanceId;

use super::Client;
use crate::error::Error;

/// An object to which requests are made: a [`Client`], or a fleet of clients.
///
/// The requests of this crate are generic over the target. The target names instances, and has a
/// client for each location of an instance. Implement the trait to spread requests over clients of
/// your own; programs that only make requests do not need the trait.
pub trait Target: Clone + fmt::Debug + Send + Sync + 'static {
    /// The name of an instance in requests, events and reports.
    type Instance: Clone + Eq + Hash + fmt::Debug + fmt::Display + Send + Sync + 'static;
    /// The part of the name that selects the client.
    type Location: Clone + Ord + fmt::Debug + Send + Sync + 'static;
    /// The error of a whole request.
    type Error: Clone + From<Error> + error::Error + Send + Sync + 'static;

    /// Splits the name of an instance into the location and the id at the location.
    fn split(instance: &Self::Instance) -> (Self::Location, InstanceId);

    /// Returns the name of an instance at a location.
    fn join(location: &Self::Location, id: InstanceId) -> Self::Instance;

    /// Returns the location without the parts that do not distinguish instances, such as the account:
    /// an id names one instance there, whatever the account.
    fn machine_location(location: &Self::Location) -> Self::Location {
        location.clone()
    }

    /// Returns the location whose client also checks a request without instances, if there is one.
    fn default_location() -> Option<Self::Location> {
        None
    }

    /// Returns a client that can plan requests for the location. Makes no call.
    ///
    /// # Errors
    /// The error of a location that has no client.
    fn offline_client(&self, location: &Self::Location) -> Result<Client, Self::Error>;

    /// Returns the client of the location, ready for calls.
    ///
    /// # Errors
    /// The error of a location that cannot be connected.
    fn connect(
        &self,
        location: &Self::Location,
    ) -> impl Future<Output = Result<Client, Self::Error>> + Send;
}

/// A client is a target with a single location.
impl Target for Client {
    type Instance = InstanceId;
    type Location = ();
    type Error = Error;

    fn split(instance: &InstanceId) -> ((), InstanceId) {
        ((), instance.clone())
    }

    fn join((): &(), id: InstanceId) -> InstanceId {
        id
    }

    fn default_location() -> Option<()> {
        Some(())
    }

    fn offline_client(&self, (): &()) -> Result<Client, Error> {
        Ok(self.clone())
    }

    async fn connect(&self, (): &()) -> Result<Client, Error> {
        Ok(self.clone())
    }
}

/// The instances of a request, in any form that programs have: everything that yields ids or texts.
///
/// Implemented for all iterators and collections whose items convert into names of instances:
/// arrays, slices, `Vec<String>`, `&Vec<InstanceId>`, sets, and results of `map` and `filter`. A
/// single instance is an array: `["i-1"]`.
///
/// # Examples
/// ```
/// # use lifecycle_client::{Client, IntoInstances};
/// fn count(instances: impl IntoInstances) -> usize {
///     instances.into_instances().map_or(0, |ids| ids.len())
/// }
/// let owned = vec![String::from("i-1"), String::from("i-2")];
/// assert_eq!(count(&owned), 2);
/// assert_eq!(count(["i-1", "i-2", "i-1"]), 2, "duplicates are folded");
/// assert_eq!(count(owned.iter().filter(|id| id.ends_with('1'))), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a collection of instances",
    label = "expected an array, a slice, a `Vec` or an iterator of ids or texts",
    note = "a single instance is an array: `[id]`"
)]
pub trait IntoInstances<T: Target = Client>: sealed::Sealed<T> {
    /// Returns the instances, without duplicates, in their order.
    ///
    /// # Errors
    /// The error of the first text that is not the name of an instance.
    fn into_instances(self) -> Result<Vec<T::Instance>, T::Error>;
}

impl<T, N> IntoInstances<T> for N
where
    T: Target,
    N: IntoIterator<Item: TryInto<T::Instance, Error: Into<T::Error>>>,
{
    fn into_instances(self) -> Result<Vec<T::Instance>, T::Error> {
        let mut instances = sealed::Sealed::<T>::converted(self, sealed::Private)?;
        let mut seen = HashSet::with_capacity(instances.len());
        instances.retain(|instance| seen.insert(instance.clone()));
        Ok(instances)
    }
}

mod sealed {
    use super::Target;

    /// An argument that only this crate has: the methods of a supertrait are callable everywhere.
    #[derive(Debug)]
    pub struct Private;

    pub trait Sealed<T: Target> {
        /// Returns the instances as they are given, with duplicates.
        fn converted(self, _: Private) -> Result<Vec<T::Instance>, T::Error>;
    }

    impl<T, N> Sealed<T> for N
    where
        T: Target,
        N: IntoIterator<Item: TryInto<T::Instance, Error: Into<T::Error>>>,
    {
        fn converted(self, _: Private) -> Result<Vec<T::Instance>, T::Error> {
            let converted = self.into_iter().map(TryInto::try_into);
            converted
                .map(|instance| instance.map_err(Into::into))
                .collect()
        }
    }
}

/// Returns the instances of a request with each instance once, in their order, and with the ids as the
/// cloud spells them.
///
/// An instance that is named through two accounts, or in two spellings, is one instance, under the first
/// of its names. [`PowerRequest`](crate::PowerRequest), [`WaitRequest`](crate::WaitRequest) and
/// [`ObserveRequest`](crate::ObserveRequest) fold their instances in this way.
///
/// # Errors
/// The error of the first text that is not the name of an instance.
///
/// # Examples
/// ```
/// use lifecycle_client::distinct_instances;
///
/// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
/// # setup::run(async |client, _| {
/// let instances = distinct_instances(&client, ["i-1", "i-2", "i-1"])?;
/// assert_eq!(instances.len(), 2);
/// # Ok(())
/// # });
/// ```
pub fn distinct_instances<T: Target>(
    target: &T,
    instances: impl IntoInstances<T>,
) -> Result<Vec<T::Instance>, T::Error> {
    Ok(distinct(target, instances.converted(sealed::Private)?))
}

/// Returns each instance once, in their order, with the ids as the cloud spells them.
pub(super) fn distinct<T: Target>(target: &T, instances: Vec<T::Instance>) -> Vec<T::Instance> {
    let mut clients: BTreeMap<T::Location, (T::Location, Option<Client>)> = BTreeMap::new();
    let mut seen = HashSet::with_capacity(instances.len());
    let mut distinct = Vec::with_capacity(instances.len());
    for instance in instances {
        let (location, id) = T::split(&instance);
        // All instances of a location share the texts of the first instance.
        let (location, client) = clients.entry(location).or_insert_with_key(|location| {
            let client = target.offline_client(location);
            // The check of the request reports a location without a client.
            (location.clone(), client.ok())
        });
        let id = match client {
            Some(client) => client.observer.engine.provider().canonical_id(&id),
            None => id,
        };
        if seen.insert(T::join(&T::machine_location(location), id.clone())) {
            distinct.push(T::join(location, id));
        }
    }
    distinct
}

/// Groups instances by location.
pub(super) fn by_location<T: Target>(
    instances: &[T::Instance],
) -> BTreeMap<T::Location, Vec<InstanceId>> {
    let mut groups: BTreeMap<T::Location, Vec<InstanceId>> = BTreeMap::new();
    for instance in instances {
        let (location, id) = T::split(instance);
        groups.entry(location).or_default().push(id);
    }
    groups
}

/// Connects all locations of instances at the same time.
pub(super) async fn connect<T: Target>(
    target: &T,
    instances: &[T::Instance],
) -> Result<BTreeMap<T::Location, Client>, T::Error> {
    let connect = async |location| {
        let client = target.connect(&location).await?;
        Ok::<_, T::Error>((location, client))
    };
    let locations = by_location::<T>(instances).into_keys();
    let clients = try_join_all(locations.map(connect)).await?;
    Ok(clients.into_iter().collect())
}
