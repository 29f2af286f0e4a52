-- Records of operations and schedules, intents, leases of groups, and holds.
-- All times of leases are times of this server, never of a controller.

create table lifecycle.controller (
    id text primary key,
    name text not null,
    kind text not null,
    host text not null,
    pid bigint not null,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);

create table lifecycle.lease (
    group_name text primary key,
    holder text not null references lifecycle.controller (id) on delete cascade,
    since timestamptz not null default clock_timestamp()
);
create index lease_holder on lifecycle.lease (holder);

-- Every record, in the order in which the records became durable.
create table lifecycle.event (
    id bigint generated always as identity primary key,
    recorded_at timestamptz not null default clock_timestamp(),
    at timestamptz not null,
    kind text not null,
    operation text,
    subject text,
    group_name text,
    session text,
    record jsonb not null
);
create index event_operation on lifecycle.event (operation) where operation is not null;
create index event_at on lifecycle.event (at);
create index event_subject on lifecycle.event (subject) where subject is not null;

create table lifecycle.operation (
    id text primary key,
    requested_at timestamptz not null,
    requested_by text not null,
    why text not null,
    action text not null,
    instances integer not null,
    calls bigint not null default 0,
    -- The session that carries the operation out; null for a program without leases.
    owner text,
    ended_at timestamptz
);
create index operation_open on lifecycle.operation (requested_at) where ended_at is null;

-- One row for each instance of an operation. The primary key refuses a second reboot.
create table lifecycle.intent (
    operation text not null references lifecycle.operation (id) on delete cascade,
    instance text not null,
    -- The number of the last call; null for an instance that was settled without a call.
    call bigint,
    called_at timestamptz,
    action text,
    answer text,
    outcome text,
    request_id text,
    message text,
    settled_at timestamptz,
    primary key (operation, instance)
);
create index intent_instance on lifecycle.intent (instance);

create table lifecycle.hold (
    target text primary key,
    state text not null,
    until timestamptz not null,
    why text not null,
    set_by text not null,
    set_at timestamptz not null,
    released_by text
);

-- The folded records up to an event, so that a new process need not read all events.
create table lifecycle.snapshot (
    through bigint primary key,
    written_at timestamptz not null default clock_timestamp(),
    record text not null
);

-- Lets no other program append until the end of the transaction. The lock makes the ids of events commit in their
-- order, so that a reader of "id > last" misses none.
create function lifecycle.lock_appends() returns void
language sql as $$ select pg_advisory_xact_lock(1818846821) $$;

-- Returns a time in the form of RFC 3339.
create function lifecycle.text(t timestamptz) returns text
language sql immutable as $$ select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- Returns the kept group of the edges of a group: the edges of a maintenance have a prefix.
create function lifecycle.kept_group(edge_group text) returns text
language sql immutable as $$ select regexp_replace(edge_group, '^maintenance ', '') $$;

-- Returns true while the session lives.
create function lifecycle.is_alive(session_id text) returns boolean
language sql volatile as $$
    select exists (
        select from lifecycle.controller c where c.id = session_id and c.expires_at > clock_timestamp()
    )
$$;

-- Checks that a session may record edges of groups: no other session recorded edges of these groups
-- since the session read the state, and the session has the groups.
create function lifecycle.check_groups(session_id text, seen bigint, groups text[]) returns void
language plpgsql as $$
declare
    lost text;
begin
    select e.group_name into lost
    from lifecycle.event e
    where e.id > seen and e.kind = 'edge' and e.group_name = any (groups) and e.session is distinct from session_id
    limit 1;
    if lost is null then
        select g into lost
        from unnest(groups) g
        where not exists (
            select from lifecycle.lease l
            where l.group_name = lifecycle.kept_group(g) and l.holder = session_id
        )
        limit 1;
    end if;
    if lost is null and cardinality(groups) > 0 and not lifecycle.is_alive(session_id) then
        lost := groups[1];
    end if;
    if lost is not null then
        raise exception 'group moved' using errcode = 'LC003',
            detail = jsonb_build_object('group', lifecycle.kept_group(lost))::text;
    end if;
end $$;

-- Records an intent, or refuses the intent.
create function lifecycle.record_intent(session_id text, r jsonb, repeatable boolean) returns void
language plpgsql as $$
declare
    operation_owner text;
    changed bigint;
    refused text;
begin
    select o.owner into operation_owner from lifecycle.operation o where o.id = r ->> 'operation' for share;
    if not found then
        raise exception 'unknown operation' using errcode = 'LC002',
            detail = jsonb_build_object('operation', r ->> 'operation')::text;
    end if;
    if operation_owner is distinct from session_id
        or (session_id is not null and not lifecycle.is_alive(session_id)) then
        raise exception 'operation moved' using errcode = 'LC004',
            detail = jsonb_build_object('operation', r ->> 'operation')::text;
    end if;
    insert into lifecycle.intent as i (operation, instance, call, called_at, action)
    select r ->> 'operation', e ->> 'instance', (r ->> 'call')::bigint, (r ->> 'at')::timestamptz, r -> 'action' ->> 'kind'
    from jsonb_array_elements(r -> 'instances') e
    on conflict (operation, instance) do update
        set call = excluded.call, called_at = excluded.called_at, action = excluded.action,
            answer = null, request_id = null, message = null
        where i.outcome is null
            and (i.call is null
                or repeatable
                or i.answer = 'not-sent'
                or (i.answer in ('rejected', 'refused') and coalesce((r ->> 'resent')::boolean, false)));
    get diagnostics changed = row_count;
    if changed <> jsonb_array_length(r -> 'instances') then
        select i.instance into refused
        from lifecycle.intent i
        join jsonb_array_elements(r -> 'instances') e on e ->> 'instance' = i.instance
        where i.operation = r ->> 'operation'
            and (i.outcome is not null or i.call is distinct from (r ->> 'call')::bigint)
        limit 1;
        raise exception 'second call' using errcode = 'LC001',
            detail = jsonb_build_object('operation', r ->> 'operation', 'instance', refused)::text;
    end if;
    update lifecycle.operation o set calls = greatest(o.calls, (r ->> 'call')::bigint) where o.id = r ->> 'operation';
end $$;

-- Returns the fault in an answer or an outcome.
create function lifecycle.fault_message(e jsonb) returns text
language sql immutable as $$ select e -> 'fault' ->> 'message' $$;

-- Records answers, outcomes and ends of an operation.
create function lifecycle.record_result(r jsonb) returns void
language plpgsql as $$
begin
    if not exists (select from lifecycle.operation o where o.id = r ->> 'operation') then
        raise exception 'unknown operation' using errcode = 'LC002',
            detail = jsonb_build_object('operation', r ->> 'operation')::text;
    end if;
    case r ->> 'record'
    when 'answer' then
        update lifecycle.intent i
        set answer = e ->> 'answer',
            request_id = coalesce(e ->> 'request_id', e -> 'fault' ->> 'request_id'),
            message = lifecycle.fault_message(e)
        from jsonb_array_elements(r -> 'answers') e
        where i.operation = r ->> 'operation' and i.instance = e ->> 'instance' and i.call = (r ->> 'call')::bigint;
    when 'outcome' then
        insert into lifecycle.intent as i (operation, instance, outcome, request_id, message, settled_at)
        select distinct on (e ->> 'instance')
            r ->> 'operation', e ->> 'instance', e ->> 'outcome', e ->> 'request_id', lifecycle.fault_message(e),
            (r ->> 'at')::timestamptz
        from jsonb_array_elements(r -> 'rows') with ordinality as rows (e, n)
        order by e ->> 'instance', n desc
        on conflict (operation, instance) do update
            set outcome = excluded.outcome, settled_at = excluded.settled_at,
                request_id = coalesce(excluded.request_id, i.request_id), message = excluded.message
            -- The first outcome is final: a controller that was cut off can record an older one later.
            where i.outcome is null;
    when 'end' then
        update lifecycle.operation o set ended_at = (r ->> 'at')::timestamptz where o.id = r ->> 'operation';
    end case;
end $$;

-- Appends the records of one program: all of them, or none.
create function lifecycle.append_batch(batch jsonb) returns void
language plpgsql as $$
declare
    session_id text := batch ->> 'session';
    entry jsonb;
    r jsonb;
begin
    if session_id is not null then
        perform lifecycle.check_groups(session_id, (batch ->> 'seen')::bigint, array(
            select distinct e -> 'record' ->> 'group'
            from jsonb_array_elements(batch -> 'entries') e
            where e -> 'record' ->> 'record' = 'edge'
        ));
    end if;
    insert into lifecycle.event (at, kind, operation, subject, group_name, session, record)
    select (e -> 'record' ->> 'at')::timestamptz,
        e -> 'record' ->> 'record',
        e -> 'record' ->> 'operation',
        coalesce(e -> 'record' ->> 'target', e -> 'record' ->> 'instance', e -> 'record' ->> 'subject', e -> 'record' ->> 'group'),
        e -> 'record' ->> 'group',
        session_id,
        e -> 'record'
    from jsonb_array_elements(batch -> 'entries') with ordinality as entries (e, n)
    order by n;
    for entry in
        select e from jsonb_array_elements(batch -> 'entries') with ordinality as entries (e, n)
        where e -> 'record' ->> 'record' in ('request', 'intent', 'answer', 'outcome', 'end', 'hold', 'release')
        order by n
    loop
        r := entry -> 'record';
        case r ->> 'record'
        when 'request' then
            if session_id is not null and not lifecycle.is_alive(session_id) then
                raise exception 'operation moved' using errcode = 'LC004',
                    detail = jsonb_build_object('operation', r ->> 'operation')::text;
            end if;
            -- A person's hold counts from its record on, also for a pass that read the state before.
            if session_id is not null and exists (
                select from lifecycle.event e
                where e.id > (batch ->> 'seen')::bigint and e.kind in ('hold', 'release')
            ) then
                raise exception 'hold changed' using errcode = 'LC005';
            end if;
            insert into lifecycle.operation (id, requested_at, requested_by, why, action, instances, owner)
            values (r ->> 'operation', (r ->> 'at')::timestamptz, r ->> 'by', r ->> 'why', r -> 'action' ->> 'kind',
                jsonb_array_length(r -> 'instances'), session_id);
        when 'intent' then
            perform lifecycle.record_intent(session_id, r, (entry ->> 'repeatable')::boolean);
        when 'hold' then
            insert into lifecycle.hold as h (target, state, until, why, set_by, set_at)
            values (r ->> 'target', r ->> 'state', (r ->> 'until')::timestamptz, r ->> 'why', r ->> 'by', (r ->> 'at')::timestamptz)
            on conflict (target) do update
                set state = excluded.state, until = excluded.until, why = excluded.why, set_by = excluded.set_by,
                    set_at = excluded.set_at, released_by = null;
        when 'release' then
            update lifecycle.hold h
            set until = least(h.until, (r ->> 'at')::timestamptz), released_by = r ->> 'by'
            where h.target = r ->> 'target';
        else
            perform lifecycle.record_result(r);
        end case;
    end loop;
end $$;

-- Appends the batches of a program in one transaction. A refused batch leaves nothing behind, and returns its
-- reason.
create function lifecycle.append(batches jsonb) returns table (batch integer, code text, detail text)
language plpgsql as $$
declare
    one jsonb;
begin
    perform lifecycle.lock_appends();
    batch := 0;
    for one in select b from jsonb_array_elements(batches) with ordinality as all_batches (b, n) order by n loop
        code := null;
        detail := null;
        begin
            perform lifecycle.append_batch(one);
        exception
            when sqlstate 'LC001' or sqlstate 'LC002' or sqlstate 'LC003' or sqlstate 'LC004' or sqlstate 'LC005' then
                get stacked diagnostics code = returned_sqlstate, detail = pg_exception_detail;
            -- A record that the tables do not take fails its own batch, not the batches of other tasks.
            when data_exception or integrity_constraint_violation or program_limit_exceeded or cardinality_violation then
                get stacked diagnostics code = returned_sqlstate, detail = message_text;
        end;
        return next;
        batch := batch + 1;
    end loop;
end $$;

-- Views for dashboards. A later version adds columns at the end, and removes none.

-- Every call that acts, with its answer and outcome.
create view lifecycle.call as
select i.operation, i.instance, i.action, i.call, i.called_at, i.answer, i.outcome, i.settled_at, i.request_id, i.message,
    o.requested_by, o.why
from lifecycle.intent i
join lifecycle.operation o on o.id = i.operation
where i.call is not null;

-- The operations without an end, and the number of their instances without an outcome.
create view lifecycle.open_operation as
select o.id as operation, o.action, o.requested_at, o.requested_by, o.why, o.instances,
    o.instances - (
        select count(*) from lifecycle.intent i where i.operation = o.id and i.outcome is not null
    ) as without_outcome,
    c.name as controller, c.expires_at > clock_timestamp() as controller_is_alive
from lifecycle.operation o
left join lifecycle.controller c on c.id = o.owner
where o.ended_at is null;

-- The calls of which nobody can know whether the cloud executed them.
create view lifecycle.uncertain_call as
select c.* from lifecycle.call c where c.outcome = 'uncertain';

-- The holds that last.
create view lifecycle.active_hold as
select h.target, h.state, h.until, h.why, h.set_by, h.set_at from lifecycle.hold h where h.until > now();

-- The groups, their controllers, and the age of the last renewal in seconds.
create view lifecycle.group_holder as
select l.group_name, c.name as controller, c.host, c.pid, l.since,
    extract(epoch from clock_timestamp() - c.seen_at) as seconds_since_renewal,
    c.expires_at > clock_timestamp() as is_alive
from lifecycle.lease l
join lifecycle.controller c on c.id = l.holder;

-- The passes of the controllers.
create view lifecycle.pass as
select e.at, e.record ->> 'by' as controller, (e.record ->> 'instances')::bigint as machines,
    (e.record ->> 'changes')::bigint as changes, e.record ->> 'problem' as problem
from lifecycle.event e
where e.kind = 'pass';

-- The facts for people: drift, uncertain calls, a store that did not answer.
create view lifecycle.notice as
select e.at, e.record ->> 'kind' as kind, e.subject, e.record ->> 'message' as message
from lifecycle.event e
where e.kind = 'notice';
