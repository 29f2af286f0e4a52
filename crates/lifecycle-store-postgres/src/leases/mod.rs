//! `PostgresLeases`: the membership of one controller, renewed by a task in the background.
//!
//! All times are times of the database. A controller never compares its own clock with a lease: the statements that
//! renew, take and check a lease do.

mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_controller::{GroupLeases, Holder, Share, StoreError};
use tokio::{
    sync::{Mutex, Notify, watch},
    task::AbortHandle,
    time::sleep,
};
use tokio_postgres::types::{ToSql, Type};

use self::plan::{Appetite, Plan, Rows, plan};
use crate::store::PostgresStore;

/// The work of a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControllerKind {
    /// Keeps the schedules: gets a fair share of the groups.
    Run,
    /// Makes one pass: gets the groups that no living controller has.
    Apply,
    /// Finishes one request: gets no group.
    Resume,
}

impl ControllerKind {
    /// Returns `run`, `apply` or `resume`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Apply => "apply",
            Self::Resume => "resume",
        }
    }
}

/// The description of a controller, for people.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ControllerInfo {
    /// The person and the machine, such as `ops@bastion`.
    pub name: String,
    /// The name of the machine.
    pub host: String,
    /// The work.
    pub kind: ControllerKind,
    /// The time after which a controller that does not renew has no groups; 15 seconds.
    pub lease: Duration,
}

impl ControllerInfo {
    /// Returns the description of a controller of this process.
    pub fn new(name: impl Into<String>, host: impl Into<String>, kind: ControllerKind) -> Self {
        Self {
            name: name.into(),
            host: host.into(),
            kind,
            lease: Duration::from_secs(15),
        }
    }

    /// Sets the time of a lease. A lease is renewed three times in this time.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(300));
        self
    }
}

/// The membership of one controller in a database. The task that renews the membership ends with the last clone.
#[derive(Clone, Debug)]
pub struct PostgresLeases {
    member: Arc<Member>,
    task: Arc<Task>,
}

#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Member {
    store: PostgresStore,
    info: ControllerInfo,
    /// One renewal at a time.
    session: Mutex<Option<String>>,
    bundles: RwLock<Vec<BTreeSet<String>>>,
    held: RwLock<BTreeSet<String>>,
    is_passing: Arc<AtomicBool>,
    changed: Notify,
    /// The failure of the last renewal.
    failure: watch::Sender<Option<String>>,
}

impl PostgresLeases {
    /// Joins the controllers of the database.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub async fn join(store: PostgresStore, info: ControllerInfo) -> Result<Self, StoreError> {
        let member = Arc::new(Member {
            store,
            info,
            session: Mutex::default(),
            bundles: RwLock::default(),
            held: RwLock::default(),
            is_passing: Arc::default(),
            changed: Notify::new(),
            failure: watch::Sender::default(),
        });
        member.renew(TakesGroups::Yes).await?;
        let task = tokio::spawn(renew_for_ever(Arc::downgrade(&member)));
        Ok(Self {
            member,
            task: Arc::new(Task(task.abort_handle())),
        })
    }

    /// Returns the store for the records of this controller outside of a pass.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub async fn store(&self) -> Result<PostgresStore, StoreError> {
        let renewal = self.member.renew(TakesGroups::Yes).await?;
        Ok(self.member.store.for_pass(&renewal.id))
    }

    /// Leaves: other controllers take the groups and the open operations over at once.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written: the groups move when the lease ends.
    pub async fn leave(&self) -> Result<(), StoreError> {
        // First, so that no renewal begins a new session.
        self.task.0.abort();
        let mut session = self.member.session.lock().await;
        if let Some(id) = session.take() {
            let sql = "delete from lifecycle.controller where id = $1";
            self.member.query(sql, &[(&id, Type::TEXT)]).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl GroupLeases for PostgresLeases {
    async fn begin_pass(&self, bundles: &[BTreeSet<String>]) -> Result<Share, StoreError> {
        let member = &self.member;
        bundles.clone_into(&mut *write(&member.bundles));
        member.is_passing.store(true, Ordering::Release);
        let pass = EndOfPass(Arc::clone(&member.is_passing));
        let renewal = member.renew(TakesGroups::Yes).await?;
        // The store answers: the failure of an earlier renewal is over.
        member.failure.send_replace(None);
        let elsewhere = member.elsewhere(&renewal.rows).await?;
        let groups = read(&member.held).clone();
        Ok(Share::new(
            groups,
            elsewhere,
            Arc::new(member.store.for_pass(&renewal.id)),
            pass,
        ))
    }

    async fn changed(&self) {
        self.member.changed.notified().await;
    }

    async fn unavailable(&self) -> StoreError {
        let mut failure = self.member.failure.subscribe();
        let found = failure.wait_for(Option::is_some).await;
        // The member lives as long as this object, so the channel is open.
        let message = found.map_or_else(|_| None, |message| message.clone());
        let message = message.unwrap_or_default();
        StoreError::Unavailable { message }
    }
}

/// The result of a renewal.
struct Renewal {
    id: String,
    rows: Rows,
    /// The controller has a group that it did not have before.
    has_more: bool,
}

/// The groups of a renewal: taken and released as the division wants, or kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TakesGroups {
    Yes,
    No,
}

/// Ends a pass when dropped.
struct EndOfPass(Arc<AtomicBool>);

impl Drop for EndOfPass {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn renew_for_ever(member: Weak<Member>) {
    loop {
        let Some(third) = member.upgrade().map(|member| member.info.lease / 3) else {
            return;
        };
        sleep(third).await;
        let Some(member) = member.upgrade() else {
            return;
        };
        // A single pass has its groups from its beginning: later ones would wait for nothing.
        let takes = match member.info.kind {
            ControllerKind::Apply => TakesGroups::No,
            _ => TakesGroups::Yes,
        };
        let renewed = member.renew(takes).await;
        let failure = renewed.as_ref().err().filter(|error| error.is_temporary());
        member
            .failure
            .send_replace(failure.map(ToString::to_string));
        match renewed {
            Ok(renewal) if renewal.has_more => member.changed.notify_one(),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the lease was not renewed"),
        }
    }
}

impl Member {
    /// Renews the membership, takes and releases groups, and returns the session. A session that has expired is
    /// not renewed: a new session begins, without groups.
    async fn renew(&self, takes: TakesGroups) -> Result<Renewal, StoreError> {
        let mut session = self.session.lock().await;
        let alive = match session.as_ref() {
            Some(id) => self.prolong(id).await?,
            None => false,
        };
        if !alive {
            write(&self.held).clear();
            *session = None;
            *session = Some(self.begin().await?);
        }
        let Some(id) = session.clone() else {
            return Err(StoreError::Other("the session ended".to_owned()));
        };
        let mut rows = self.rows().await?;
        let appetite = match self.info.kind {
            ControllerKind::Apply => Appetite::Free,
            _ => Appetite::Share {
                may_release: !self.is_passing.load(Ordering::Acquire),
            },
        };
        let bundles = read(&self.bundles).clone();
        let plan = match (self.info.kind, takes) {
            (ControllerKind::Resume, _) | (_, TakesGroups::No) => Plan::default(),
            _ => plan(&id, &rows, &bundles, appetite),
        };
        self.carry_out(&id, &plan, &mut rows).await?;
        let now: BTreeSet<String> = rows
            .holders
            .iter()
            .filter(|(_, holder)| **holder == id)
            .map(|(group, _)| group.clone())
            .collect();
        let has_more = {
            let mut held = write(&self.held);
            let has_more = !now.is_subset(&held);
            *held = now;
            has_more
        };
        Ok(Renewal { id, rows, has_more })
    }

    async fn begin(&self) -> Result<String, StoreError> {
        let id = uuid::Uuid::now_v7().to_string();
        let sql = "insert into lifecycle.controller (id, name, kind, host, pid, expires_at) \
            values ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 millisecond')";
        let (kind, pid, lease) = (
            self.info.kind.as_str(),
            i64::from(std::process::id()),
            self.lease(),
        );
        let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
            (&id, Type::TEXT),
            (&self.info.name, Type::TEXT),
            (&kind, Type::TEXT),
            (&self.info.host, Type::TEXT),
            (&pid, Type::INT8),
            (&lease, Type::FLOAT8),
        ];
        self.query(sql, &parameters).await?;
        Ok(id)
    }

    async fn prolong(&self, id: &str) -> Result<bool, StoreError> {
        let sql = "update lifecycle.controller set seen_at = clock_timestamp(), \
            expires_at = clock_timestamp() + $2 * interval '1 millisecond' \
            where id = $1 and expires_at > clock_timestamp() returning id";
        let lease = self.lease();
        let rows = self
            .query(sql, &[(&id, Type::TEXT), (&lease, Type::FLOAT8)])
            .await?;
        Ok(!rows.is_empty())
    }

    /// Reads the living controllers. Deletes the leases of the others, and forgets them after a day.
    async fn rows(&self) -> Result<Rows, StoreError> {
        let expire = "with dead as (select id from lifecycle.controller where expires_at <= clock_timestamp() \
                for update skip locked), \
            gone as (delete from lifecycle.lease using dead where holder = dead.id) \
            delete from lifecycle.controller c using dead \
            where c.id = dead.id and c.expires_at < clock_timestamp() - interval '1 day'";
        self.query(expire, &[]).await?;
        let sql = "select c.id, c.kind, l.group_name from lifecycle.controller c \
            left join lifecycle.lease l on l.holder = c.id where c.expires_at > clock_timestamp()";
        let mut rows = Rows::default();
        for row in self.query(sql, &[]).await? {
            let (id, kind): (String, &str) = (row.get(0), row.get(1));
            if let Some(group) = row.get::<_, Option<String>>(2) {
                rows.holders.insert(group, id.clone());
            }
            if kind == ControllerKind::Run.as_str() {
                rows.controllers.insert(id);
            }
        }
        Ok(rows)
    }

    /// Releases and takes groups. Another controller can take a group first: the primary key decides.
    async fn carry_out(&self, id: &str, plan: &Plan, rows: &mut Rows) -> Result<(), StoreError> {
        if !plan.release.is_empty() {
            let sql = "delete from lifecycle.lease where holder = $1 and group_name = any ($2)";
            self.query(sql, &[(&id, Type::TEXT), (&plan.release, Type::TEXT_ARRAY)])
                .await?;
            for group in &plan.release {
                rows.holders.remove(group);
            }
        }
        if !plan.take.is_empty() {
            let sql = "insert into lifecycle.lease (group_name, holder) \
                select g, $1 from unnest($2) g where lifecycle.is_alive($1) \
                on conflict (group_name) do nothing returning group_name";
            let taken = self
                .query(sql, &[(&id, Type::TEXT), (&plan.take, Type::TEXT_ARRAY)])
                .await?;
            let taken = taken.iter().map(|row| (row.get(0), id.to_owned()));
            rows.holders.extend(taken);
        }
        Ok(())
    }

    /// Returns the groups of the bundles that other controllers have.
    async fn elsewhere(&self, rows: &Rows) -> Result<BTreeMap<String, Holder>, StoreError> {
        let held = read(&self.held).clone();
        let known: BTreeSet<String> = read(&self.bundles).iter().flatten().cloned().collect();
        let others: BTreeSet<&String> = rows
            .holders
            .keys()
            .filter(|group| known.contains(*group) && !held.contains(*group))
            .collect();
        if others.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = "select l.group_name, c.name, c.kind, c.pid from lifecycle.lease l \
            join lifecycle.controller c on c.id = l.holder";
        let found = self.query(sql, &[]).await?;
        let found = found.iter().map(|row| {
            let group: String = row.get(0);
            let holder = Holder::new(row.get::<_, String>(1), row.get::<_, String>(2), row.get(3));
            (group, holder)
        });
        Ok(found.filter(|(group, _)| others.contains(group)).collect())
    }

    async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        self.store.database().query(sql, parameters).await
    }

    /// Returns the time of a lease in milliseconds.
    fn lease(&self) -> f64 {
        self.info.lease.as_secs_f64() * 1000.0
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
