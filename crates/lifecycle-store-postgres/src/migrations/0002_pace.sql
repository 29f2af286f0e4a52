-- The shared rate limit of accounts, and the keys that a cloud rejected.
-- All times are times of this server, never of a controller.

-- One token bucket for each account, location and kind of calls.
create table lifecycle.pace (
    scope text primary key,
    -- The adaptive rate, computed by the controllers.
    per_second double precision not null,
    configured double precision not null,
    highest_known double precision not null,
    last_rejected double precision not null,
    seconds_past_last_rejected double precision not null,
    successes_since_cut bigint not null,
    -- Counts the changes of the rate: a change by two controllers at the same time is made once.
    version bigint not null default 0,
    cuts bigint not null default 0,
    -- The bucket. Negative while permits are leased in advance.
    tokens double precision not null,
    burst integer not null,
    filled_at timestamptz not null default now(),
    closed_until timestamptz not null default 'epoch',
    -- The permits of the last lease.
    permits integer not null default 0
) with (fillfactor = 50);

-- The controllers that take permits, by random number.
create table lifecycle.pace_sharer (
    scope text not null,
    sharer bigint not null,
    seen_at timestamptz not null default now(),
    primary key (scope, sharer)
) with (fillfactor = 50);

-- Keys that a cloud rejected: a digest, never a key or the id of a key.
create table lifecycle.rejected_key (
    digest text primary key,
    code text,
    rejected_at timestamptz not null default now()
);

-- Returns the tokens in a bucket now.
create function lifecycle.pace_tokens(p lifecycle.pace) returns double precision
language sql stable as $$
    select least(
        greatest(p.burst * p.per_second / p.configured, 1),
        p.tokens + p.per_second * greatest(0, extract(epoch from now() - greatest(p.filled_at, p.closed_until)))
    )
$$;

-- Returns the time to which a bucket is filled. A clock that was set back must not stop the bucket.
create function lifecycle.pace_filled_at(filled_at timestamptz) returns timestamptz
language sql stable as $$
    select case when filled_at > now() + interval '1 second' then now() else greatest(filled_at, now()) end
$$;

-- The pace of each account, for dashboards.
create view lifecycle.account_pace as
select p.scope, p.per_second as calls_per_second, p.configured, p.closed_until, p.cuts,
    (select count(*) from lifecycle.pace_sharer s
        where s.scope = p.scope and s.seen_at > now() - interval '1 minute') as controllers
from lifecycle.pace p;
