//! `PostgresRateLimit`: the rate limit of an account, shared by all controllers of a database.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_client::{
    AdaptiveRate, PermitLease, PermitRequest, RateChange, RateChanged, RateLimitScope, RejectedKey,
    SharedRate, SharedRateError, SharedRateLimit,
};
use lifecycle_controller::StoreError;
use lifecycle_core::Rate;
use tokio::time::Instant;
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql, Type},
};

use crate::{ConnectionText, Database, Limits};

/// Shares the rate limits and the rejected keys of all programs with the same database.
///
/// A lease is one UPDATE, with the clock of the server. The connections are apart from those of the store: a
/// slow record does not delay a permit. A commit does not wait for the disk, because a bucket may lose its
/// last moments when the server dies.
///
/// # Examples
/// ```no_run
/// use lifecycle_store_postgres::{ConnectionText, PostgresRateLimit};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let text: ConnectionText = std::env::var("LIFECYCLE_DATABASE")?.parse()?;
/// let limit = PostgresRateLimit::open(text).await?;
/// // let fleet = Fleet::builder().shared_rate_limit(limit).build()?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresRateLimit {
    database: Database,
    /// The time at which each sharer of this program was recorded.
    recorded: Mutex<HashMap<(String, u64), Instant>>,
}

impl PostgresRateLimit {
    /// Returns the shared rate limit in a database. Opens no connection.
    ///
    /// # Errors
    /// [`StoreError::Other`] if the certificates of the authorities cannot be read.
    pub async fn open(text: ConnectionText) -> Result<Self, StoreError> {
        Self::with_connections(text, 2).await
    }

    /// Returns the shared rate limit with this maximum number of connections, by default 2.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub async fn with_connections(
        mut text: ConnectionText,
        connections: usize,
    ) -> Result<Self, StoreError> {
        let options = text.config.get_options().unwrap_or_default();
        let options = format!("-c synchronous_commit=off {options}");
        text.config.options(options);
        let limits = Limits::default()
            .with_connections(connections)
            .with_query(QUERY_LIMIT);
        Ok(Self {
            database: Database::open(text, limits).await?,
            recorded: Mutex::default(),
        })
    }

    /// Forgets all rejected keys, after a key has become valid again without a change. Returns the number of
    /// keys.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub async fn forget_rejected_keys(&self) -> Result<usize, StoreError> {
        let sql = "delete from lifecycle.rejected_key returning digest";
        Ok(self.database.query(sql, &[]).await?.len())
    }

    /// Records a sharer from time to time, so that the number of sharers is known when the database is lost.
    async fn record_sharer(
        &self,
        scope: &RateLimitScope,
        sharer: u64,
    ) -> Result<(), SharedRateError> {
        let key = (scope.to_string(), sharer);
        let is_recorded = |at: &Instant| at.elapsed() < SHARER_INTERVAL;
        if self.recorded().get(&key).is_some_and(is_recorded) {
            return Ok(());
        }
        let number = sharer.cast_signed();
        self.query(SHARER, &[(&key.0, Type::TEXT), (&number, Type::INT8)])
            .await?;
        self.recorded().insert(key, Instant::now());
        Ok(())
    }

    fn recorded(&self) -> MutexGuard<'_, HashMap<(String, u64), Instant>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, SharedRateError> {
        let rows = self.database.query(sql, parameters).await;
        rows.map_err(SharedRateError::new)
    }
}

#[async_trait]
impl SharedRateLimit for PostgresRateLimit {
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError> {
        let rate = AdaptiveRate::new(configured.per_second);
        let burst = i32::try_from(configured.burst.max(1)).unwrap_or(i32::MAX);
        self.query(
            JOIN,
            &[
                (&scope.to_string(), Type::TEXT),
                (&rate.per_second, Type::FLOAT8),
                (&burst, Type::INT4),
            ],
        )
        .await?;
        // A new sharer counts at once, also after the loss of the table.
        self.recorded()
            .retain(|(known, _), _| *known != scope.to_string());
        Ok(())
    }

    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError> {
        self.record_sharer(scope, request.sharer).await?;
        let permits = i32::try_from(request.permits).unwrap_or(i32::MAX);
        let rows = self
            .query(
                LEASE,
                &[
                    (&scope.to_string(), Type::TEXT),
                    (&permits, Type::INT4),
                    (&request.ahead.as_secs_f64(), Type::FLOAT8),
                ],
            )
            .await?;
        read_lease(&only_row(&rows, scope)?)
    }

    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError> {
        let scope_key = scope.to_string();
        let rate = change.rate;
        let rows = self
            .query(
                ADAPT,
                &[
                    (&scope_key, Type::TEXT),
                    (&change.seen.cast_signed(), Type::INT8),
                    (&change.is_cut, Type::BOOL),
                    (&rate.per_second, Type::FLOAT8),
                    (&rate.highest_known, Type::FLOAT8),
                    (&rate.last_rejected, Type::FLOAT8),
                    (&rate.seconds_past_last_rejected, Type::FLOAT8),
                    (&i64::from(rate.successes_since_cut), Type::INT8),
                ],
            )
            .await?;
        if let Some(row) = rows.first() {
            return Ok(RateChanged {
                applied: true,
                now: read_rate(&Reader(row))?,
            });
        }
        let rows = self.query(READ, &[(&scope_key, Type::TEXT)]).await?;
        Ok(RateChanged {
            applied: false,
            now: read_rate(&only_row(&rows, scope)?)?,
        })
    }

    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError> {
        let pause = pause.as_secs_f64();
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&scope.to_string(), Type::TEXT), (&pause, Type::FLOAT8)];
        self.query(CLOSE, &parameters).await.map(|_| ())
    }

    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError> {
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&scope.to_string(), Type::TEXT),
            (&f64::from(permits), Type::FLOAT8),
            (&cuts.cast_signed(), Type::INT8),
        ];
        self.query(GIVE_BACK, &parameters).await.map(|_| ())
    }

    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError> {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&key.digest, Type::TEXT), (&key.code, Type::TEXT)];
        self.query(REJECT_KEY, &parameters).await.map(|_| ())
    }
}

/// Reads the columns of a row. The order of the columns is the order of the statements.
struct Reader<'r>(&'r Row);

impl Reader<'_> {
    fn get<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T, SharedRateError> {
        self.0.try_get(column).map_err(SharedRateError::new)
    }
}

fn only_row<'r>(rows: &'r [Row], scope: &RateLimitScope) -> Result<Reader<'r>, SharedRateError> {
    let lost = || SharedRateError::new(format!("no bucket of {scope}: the table was emptied"));
    rows.first().map(Reader).ok_or_else(lost)
}

fn read_rate(row: &Reader<'_>) -> Result<SharedRate, SharedRateError> {
    let mut rate = AdaptiveRate::new(row.get("configured")?);
    rate.per_second = row.get("per_second")?;
    rate.highest_known = row.get("highest_known")?;
    rate.last_rejected = row.get("last_rejected")?;
    rate.seconds_past_last_rejected = row.get("seconds_past_last_rejected")?;
    let successes: i64 = row.get("successes_since_cut")?;
    rate.successes_since_cut = u32::try_from(successes).unwrap_or(u32::MAX);
    Ok(SharedRate {
        rate,
        version: row.get::<i64>("version")?.cast_unsigned(),
        cuts: row.get::<i64>("cuts")?.cast_unsigned(),
    })
}

fn read_lease(row: &Reader<'_>) -> Result<PermitLease, SharedRateError> {
    let permits: i32 = row.get("permits")?;
    let closed_for: f64 = row.get("closed_for")?;
    let sharers: i64 = row.get("sharers")?;
    let digests: Vec<String> = row.get("digests")?;
    let codes: Vec<Option<String>> = row.get("codes")?;
    let keys = digests.into_iter().zip(codes);
    Ok(PermitLease {
        permits: u32::try_from(permits).unwrap_or_default(),
        tokens: row.get("tokens")?,
        closed_for: Duration::try_from_secs_f64(closed_for).unwrap_or_default(),
        rate: read_rate(row)?,
        sharers: u32::try_from(sharers).unwrap_or(u32::MAX),
        rejected_keys: keys
            .map(|(digest, code)| RejectedKey { digest, code })
            .collect(),
    })
}

/// The time limit of a query: the client waits no longer for a permit.
const QUERY_LIMIT: Duration = Duration::from_secs(2);

/// The time between two records of a sharer. A sharer counts for a minute.
const SHARER_INTERVAL: Duration = Duration::from_secs(20);

const SHARER: &str = "
    with forgotten as (delete from lifecycle.pace_sharer where seen_at < now() - interval '1 day')
    insert into lifecycle.pace_sharer (scope, sharer) values ($1, $2)
    on conflict (scope, sharer) do update set seen_at = now()";

const JOIN: &str = "
    insert into lifecycle.pace as p (scope, per_second, configured, highest_known, last_rejected,
        seconds_past_last_rejected, successes_since_cut, tokens, burst)
    values ($1, $2, $2, $2, $2, 0, 0, $3, $3)
    on conflict (scope) do update
    set per_second = excluded.per_second, configured = excluded.configured,
        highest_known = excluded.highest_known, last_rejected = excluded.last_rejected,
        seconds_past_last_rejected = 0, successes_since_cut = 0, tokens = excluded.tokens,
        burst = excluded.burst, filled_at = now(), version = p.version + 1, cuts = p.cuts + 1
    where (p.configured, p.burst) is distinct from (excluded.configured, excluded.burst)";

/// Takes tokens. The sub-select reads the columns of the locked row only, so two leases at the same time take
/// different tokens. `1e-9` is the rounding error of a sum of fractions.
#[cfg_attr(
    not(feature = "test-cluster"),
    expect(unreachable_pub, reason = "exported for benchmarks only")
)]
pub const LEASE: &str = "
    update lifecycle.pace p
    set (tokens, permits, filled_at) = (
        select f.tokens - g.permits, g.permits, lifecycle.pace_filled_at(p.filled_at)
        from (select lifecycle.pace_tokens(p) as tokens) f,
        lateral (select case
            when p.closed_until > now() then 0
            else greatest(0, floor(least($2, f.tokens + p.per_second * $3 + 1e-9)))
        end as permits) g
    )
    where p.scope = $1
    returning p.permits, p.tokens + p.permits as tokens,
        greatest(0, extract(epoch from p.closed_until - now()))::double precision as closed_for,
        p.per_second, p.configured, p.highest_known, p.last_rejected, p.seconds_past_last_rejected,
        p.successes_since_cut, p.version, p.cuts,
        (select count(*) from lifecycle.pace_sharer s
            where s.scope = p.scope and s.seen_at > now() - interval '1 minute') as sharers,
        array(select k.digest from lifecycle.rejected_key k order by k.digest) as digests,
        array(select k.code from lifecycle.rejected_key k order by k.digest) as codes";

const ADAPT: &str = "
    update lifecycle.pace p
    set tokens = case when $3 then least(lifecycle.pace_tokens(p), 0) else lifecycle.pace_tokens(p) end,
        filled_at = lifecycle.pace_filled_at(p.filled_at),
        per_second = $4, highest_known = $5, last_rejected = $6, seconds_past_last_rejected = $7,
        successes_since_cut = $8, version = p.version + 1, cuts = p.cuts + $3::integer
    where p.scope = $1 and p.version = $2
    returning p.*";

const READ: &str = "select p.* from lifecycle.pace p where p.scope = $1";

const CLOSE: &str = "
    update lifecycle.pace p
    set closed_until = greatest(least(p.closed_until, now() + interval '5 minutes'),
        now() + make_interval(secs => least($2, 300)))
    where p.scope = $1";

const GIVE_BACK: &str = "
    update lifecycle.pace p
    set tokens = least(greatest(p.burst * p.per_second / p.configured, 1), lifecycle.pace_tokens(p) + $2),
        filled_at = lifecycle.pace_filled_at(p.filled_at)
    where p.scope = $1 and p.cuts = $3";

const REJECT_KEY: &str = "
    insert into lifecycle.rejected_key (digest, code) values ($1, $2) on conflict (digest) do nothing";

impl fmt::Debug for PostgresRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresRateLimit")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
