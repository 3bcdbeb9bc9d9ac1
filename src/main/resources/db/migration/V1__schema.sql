-- The row that every write locks first, so that the order of revisions is the order of commits.
create table head (
    single   boolean primary key default true check (single),
    epoch    bigint  not null,
    revision bigint  not null,
    hash     bytea   not null,
    -- the time of the last change; no change has an earlier one than the change before it
    at       timestamptz not null default '-infinity'
);
insert into head (epoch, revision, hash) values (1, 0, decode(repeat('00', 32), 'hex'));

-- The current state of every resource. environment and service_name are '' where the resource has none. The row holds no
-- ciphertext: that is in sealed, which may be sealed again with a new key without a new revision. bytes is the size of name,
-- row and sealed before PostgreSQL compresses them.
-- The fill factor leaves room for an update on the page of the row, so that no index of the table is touched.
-- A resource is looked up by its id first: while the table is small or was never analyzed, every index that begins with the
-- kind looks as good as the right one, and that plan is kept. Where ids are searched for, the kind is therefore compared in
-- another collation than that of the indexes, and only the primary key can be used.
create table resources (
    kind         text   not null,
    id           text   not null,
    environment  text   not null collate "C",
    service_name text   not null collate "C",
    name         text   not null collate "C",
    version      bigint not null,
    revision     bigint not null,
    fence        bigint not null default 0,
    row          json   not null,
    sealed       bytea,
    bytes        int    not null default 0,
    -- what a search looks into, in lower case
    words        text   not null default '',
    primary key (id, kind),
    constraint resources_path unique (kind, environment, service_name, name)
) with (fillfactor = 80);

-- Lists are in the order of names.
create index resources_name on resources (kind, name, environment, service_name);
create index resources_sealed on resources (kind, name, environment, service_name) where sealed is not null;

-- Searches use trigrams where the role may create the extension, or has it. Without it they read all rows.
do $$
begin
    if not exists (select from pg_extension where extname = 'pg_trgm') then
        create extension pg_trgm;
    end if;
    create index resources_words on resources using gin (words gin_trgm_ops) where words <> '';
exception when others then
    raise notice 'searches read all rows, as there is no pg_trgm: %', sqlerrm;
end $$;

-- The log: history, audit trail, outbox and stream in one. A row holds the whole new state of its resource.
create table changes (
    revision     bigint      not null,
    epoch        bigint      not null,
    event_id     uuid        not null,
    kind         text        not null,
    action       text        not null,
    resource_id  text        not null,
    environment  text        not null,
    service_name text        not null,
    name         text        not null,
    version      bigint      not null,
    fence        bigint      not null default 0,
    actor_type   text        not null default 'system',
    actor_id     text        not null default 'system',
    actor        text        not null default 'system',
    request_id   text,
    comment      text,
    occurred_at  timestamptz not null,
    row          json        not null,
    sealed       bytea,
    bytes        int         not null default 0,
    digest       bytea       not null,
    hash         bytea       not null,
    -- whether the unit of the resource has no resources after the change; not covered by the hash
    empties_unit boolean     not null default false,
    -- its place in a change set, whose changes have consecutive revisions; null where it was written alone
    set_id       uuid,
    set_index    int,
    set_count    int,
    -- the span that wrote it, as a W3C traceparent, for those who follow the log; not covered by the hash
    trace_parent text,
    primary key (revision)
) partition by range (revision);

create index changes_resource on changes (kind, resource_id, version);
-- The audit trail is read newest first: by who, by what, or where.
create index changes_actor on changes (actor, revision);
create index changes_actor_id on changes (actor_id, revision);
create index changes_name on changes (name, revision);
create index changes_environment on changes (environment, revision);
create index changes_set on changes (set_id) where set_id is not null;
-- The last states at paths where nothing is any more are listed in the order of names.
create index changes_deleted on changes (kind, name, environment, service_name, revision) where action = 'deleted';

-- The last revision of each unit, which is what is read together: a layer of configurations, the flags of an environment,
-- the instances of a service, the API keys. A unit that is missing here has never been written.
-- One that has no resources any more is forgotten: its last revision goes to one of 256 marks of its kind.
create table units (
    unit      text   primary key,
    revision  bigint not null,
    bytes     bigint not null default 0,
    resources bigint not null default 0
);

-- The number of the mark of a unit: a polynomial of its characters, as Java computes it.
create function unit_mark(p_environment text, p_service_name text) returns int language plpgsql immutable as $$
declare
    e int := 0;
    s int := 0;
begin
    for i in 1 .. length(p_environment) loop
        e := (e * 31 + ascii(substr(p_environment, i, 1))) & 255;
    end loop;
    for i in 1 .. length(p_service_name) loop
        s := (s * 31 + ascii(substr(p_service_name, i, 1))) & 255;
    end loop;
    return (31 * e + s) & 255;
end $$;

-- Authentication codes over the hash of the chain, under a key that is not in the database. Each names the seal before it.
create table seals (
    revision bigint      primary key,
    previous bigint      not null unique,
    hash     bytea       not null,
    at       timestamptz not null,
    key_id   text        not null,
    code     bytea       not null
);

create table idempotency (
    caller   text        not null,
    key      text        not null,
    digest   bytea       not null,
    revision bigint      not null,
    -- of a change set: its id; the revision is that of its first change
    set_id   uuid,
    at       timestamptz not null,
    primary key (caller, key)
);
create index idempotency_at on idempotency (at);

-- When a key was last used; not a change.
create table key_usage (
    id           text        primary key,
    last_used_at timestamptz not null
);

-- Evaluations of flags by hour; not changes. The variant is '' where there was none.
create table flag_usage (
    flag_id     text        not null,
    hour        timestamptz not null,
    variant     text        not null,
    reason      text        not null,
    evaluations bigint      not null,
    last_at     timestamptz not null,
    primary key (flag_id, hour, variant, reason)
);

-- How far consumers of the log have come, and which node is each of them now.
create table cursors (
    name     text        primary key,
    position bigint      not null default 0,
    holder   text        not null default '',
    epoch    bigint      not null default 0,
    until    timestamptz not null default '-infinity'
);

-- The core nodes that are alive, by their id in the grid.
create table nodes (
    id      uuid        primary key,
    seen_at timestamptz not null
);

-- The keys of encrypted values that each node knows, edges too, as they announced them last.
create table node_keys (
    node    text        primary key,
    keys    int[]       not null,
    seen_at timestamptz not null
);

-- Who was refused, where and how often; not changes, written in batches.
create table access_denials (
    id          uuid        primary key,
    occurred_at timestamptz not null,
    actor_type  text,
    actor_id    text,
    actor       text,
    address     text        not null,
    status      int         not null,
    detail      text        not null,
    attempts    bigint      not null
);

-- Who was shown which secret; not changes, written in batches.
create table secret_reads (
    id           uuid        primary key,
    occurred_at  timestamptz not null,
    actor_type   text        not null,
    actor_id     text        not null,
    actor        text        not null,
    request_id   text        not null,
    resource_id  text        not null,
    environment  text        not null,
    service_name text        not null,
    name         text        not null
);

-- The batches of counts and notes that were written, by the id that their writer gave them, so that each is written once
-- however often it is sent.
create table written_batches (
    id uuid        primary key,
    at timestamptz not null
);

-- The retention of the log: its partitions are dropped, oldest first. Everything up to the anchor is gone; the chain of hashes
-- is verified from there on.
create table retention (
    single          boolean primary key default true check (single),
    partition_size  bigint  not null default 1000000,
    anchor_revision bigint  not null default 0,
    anchor_hash     bytea   not null default decode(repeat('00', 32), 'hex')
);
insert into retention default values;

-- The partitions of the log, with the revisions of each, from first to below upto.
create table log_partitions (
    first bigint primary key,
    upto  bigint not null,
    name  text   not null
);
-- What the log no longer holds of resources whose history can still be asked for.
create table history (like changes including defaults);
alter table history add primary key (kind, resource_id, version);
create index history_set on history (set_id) where set_id is not null;
create index history_sealed on history (revision) where sealed is not null;

-- All that is known of each resource, wherever it stands now. What was copied to the history counts there from the moment
-- that the anchor moves, in the log until then: so nothing is seen twice.
create view resource_changes as
    select h.* from history h where h.revision <= (select anchor_revision from retention)
    union all
    select c.* from changes c where c.revision > (select anchor_revision from retention);

-- Makes the partitions that hold the revisions from p_revision on, and the next ones, where they are missing.
create function ensure_partitions(p_revision bigint) returns void language plpgsql as $$
declare
    size  bigint;
    lower bigint;
    upper bigint;
    part  text;
begin
    select partition_size into size from retention;
    select coalesce(max(p.upto), 0) into lower from log_partitions p;
    while lower <= p_revision + size loop
        upper := greatest(lower + size, (p_revision / size) * size);
        part := 'changes_from_' || lower;
        execute format('create table %I (like changes including defaults including constraints)', part);
        execute format('alter table changes attach partition %I for values from (%s) to (%s)', part, lower, upper);
        insert into log_partitions (first, upto, name) values (lower, upper, part);
        lower := upper;
    end loop;
end $$;

select ensure_partitions(0);

-- Applies commands, each as one revision, in their order; the arrays hold a column of them each. No two may be for one
-- resource, and none of the batch may depend on another of it: two that create the same path, or that came with the same
-- Idempotency-Key, fail the whole call (23505, 21000). Says of each what became of it:
--   done      applied: revision and hash
--   replayed  its Idempotency-Key was used before: revision of then
--   reused    the same, with another request
--   taken     the path belongs to another resource: other_id
--   moved     the resource has another version than the command was computed from (or a higher fence), or the unit that it
--             was judged by has changed since
--   gone      the resource does not exist
--   full      the unit would grow beyond its largest size
-- With p_set they are one change set: all of them are applied, or none. Then the only one that may come with an
-- Idempotency-Key is the first, other_id of one that is replayed is the id of the set, and what counts for the size of a unit
-- is all of them together. With p_dry nothing is applied in any case.
-- Refuses everything ('CS001') where the log is not the one that the caller knows: another epoch, fewer revisions, or
-- another change at the revision that the caller has applied last. Refuses everything ('CS002', with the time of the last
-- change in milliseconds) where the commands are said to have occurred earlier than that, and ('CS003', with the time of the
-- server) where that is later than now.
-- The settings: each step is a look into an index for each command, however small a table was when it was last analyzed.
create function apply_batch(
    p_epoch bigint, p_revision bigint, p_hash bytea,
    p_op text[], p_event_id uuid[], p_kind text[], p_id text[], p_action text[], p_environment text[],
    p_service_name text[], p_name text[], p_expected bigint[], p_version bigint[], p_fence bigint[], p_stands bigint[],
    p_actor_type text[], p_actor_id text[], p_actor text[], p_request_id text[], p_comment text[], p_occurred_at timestamptz[], p_row json[], p_sealed bytea[],
    p_digest bytea[], p_bytes int[], p_max bigint[], p_words text[],
    -- of those that came with an Idempotency-Key: which they are, from 1 on
    p_keyed int[], p_caller text[], p_key text[], p_key_digest bytea[],
    -- of those that were judged by the resources of a unit: which they are, the unit, and its revision as of then
    p_judged int[], p_judged_unit text[], p_judged_revision bigint[],
    p_trace_parent text[],
    p_set uuid, p_dry boolean)
returns table (outcome text, at_revision bigint, at_hash bytea, other_id text, empties_unit boolean)
language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
    h         head%rowtype;
    hit       record;
    outcomes  text[];
    others    text[]   := array_fill(null::text, array[cardinality(p_op)]);
    revisions bigint[] := array_fill(null::bigint, array[cardinality(p_op)]);
    hashes    bytea[]  := array_fill(null::bytea, array[cardinality(p_op)]);
    rev       bigint;
    chain     bytea;
    applied   bigint   := 0;
    n         bigint;
    growth    bigint[];
    emptied   bigint[] := '{}';
    grown     jsonb    := '{}';
begin
    select * into h from head for update;
    if h.epoch <> p_epoch or h.revision < p_revision or (h.revision = p_revision and h.hash <> p_hash) then
        raise exception 'the log is at %/%', h.epoch, h.revision using errcode = 'CS001';
    end if;
    if p_occurred_at[1] < h.at then
        raise exception '%', ceil(extract(epoch from h.at) * 1000)::bigint using errcode = 'CS002';
    end if;
    if p_occurred_at[1] > greatest(clock_timestamp() + interval '5 seconds', h.at + interval '1 millisecond') then
        raise exception '%', floor(extract(epoch from clock_timestamp()) * 1000)::bigint using errcode = 'CS003';
    end if;

    select array_agg(case when c.op = 'create' then case when r.id is null then 'done' else 'moved' end
                          when r.id is null then 'gone'
                          when r.version <> c.expected or r.fence >= c.fence then 'moved'
                          else 'done' end order by c.ord),
           array_agg(case when c.op = 'delete' then 0 else c.bytes end - coalesce(r.bytes, 0) order by c.ord)
        into outcomes, growth
        from unnest(p_op, p_kind, p_id, p_expected, p_fence, p_bytes) with ordinality
             as c(op, kind, id, expected, fence, bytes, ord)
        left join lateral (select s.id, s.version, s.fence, s.bytes from resources s where s.kind collate "C" = c.kind and s.id = c.id
                           limit 1) r on true;
    if 'create' = any(p_op) then
        for hit in
            select c.ord, r.id
            from unnest(p_op, p_kind, p_id, p_environment, p_service_name, p_name)
                 with ordinality as c(op, kind, id, environment, service_name, name, ord)
            join lateral (select s.id from resources s
                          where s.kind = c.kind and s.environment = c.environment
                            and s.service_name = c.service_name and s.name = c.name limit 1) r on r.id <> c.id
            where c.op = 'create'
        loop
            outcomes[hit.ord] := 'taken';
            others[hit.ord] := hit.id;
        end loop;
    end if;
    if cardinality(p_judged) > 0 then
        for hit in
            select j.ord
            from (select d.unit, d.revision
                  from (select distinct unit, revision
                        from unnest(p_judged_unit, p_judged_revision) as g(unit, revision)) d
                  left join lateral (select u.revision from units u where u.unit = d.unit limit 1) u on true
                  where coalesce(u.revision, 0) <> d.revision) m
            join unnest(p_judged, p_judged_unit, p_judged_revision) as j(ord, unit, revision)
                on j.unit = m.unit and j.revision = m.revision
            where outcomes[j.ord] = 'done'
        loop
            outcomes[hit.ord] := 'moved';
        end loop;
    end if;
    if cardinality(p_keyed) > 0 then
        for hit in
            select k.ord, i.digest = k.digest as same, i.revision, i.set_id
            from unnest(p_keyed, p_caller, p_key, p_key_digest) as k(ord, caller, key, digest)
            join lateral (select s.digest, s.revision, s.set_id from idempotency s
                          where s.caller = k.caller and s.key = k.key
                            and s.at > p_occurred_at[k.ord] - interval '1 day' limit 1) i on true
        loop
            outcomes[hit.ord] := case when hit.same then 'replayed' else 'reused' end;
            others[hit.ord] := hit.set_id::text;
            revisions[hit.ord] := hit.revision;
        end loop;
    end if;

    -- What makes a unit larger than it may be is refused; what shrinks it, or leaves it as it is, never is. Mostly nothing is
    -- near the limit, so the units are summed first, and looked at command by command only where that is too much.
    if p_set is not null then
        for hit in
            select c.unit
            from (select a.kind || '/' || a.environment || '/' || a.service_name as unit, sum(a.growth) as more,
                         min(a.max) as max
                  from unnest(p_kind, p_environment, p_service_name, growth, p_max)
                       as a(kind, environment, service_name, growth, max)
                  group by 1) c
            left join lateral (select u.bytes from units u where u.unit = c.unit limit 1) u on true
            where c.max is not null and c.more > 0 and coalesce(u.bytes, 0) + c.more > c.max
        loop
            for i in 1 .. cardinality(outcomes) loop
                if outcomes[i] = 'done' and growth[i] > 0
                   and p_kind[i] || '/' || p_environment[i] || '/' || p_service_name[i] = hit.unit then
                    outcomes[i] := 'full';
                end if;
            end loop;
        end loop;
    elsif exists (
        select from (
            select c.kind || '/' || c.environment || '/' || c.service_name as unit, sum(c.growth) as more, min(c.max) as max
            from unnest(p_kind, p_environment, p_service_name, growth, p_max)
                 as c(kind, environment, service_name, growth, max)
            where c.max is not null and c.growth > 0
            group by 1) g
        left join lateral (select u.bytes from units u where u.unit = g.unit limit 1) u on true
        where coalesce(u.bytes, 0) + g.more > g.max)
    then
        for hit in
            select c.ord, c.unit, c.growth, c.max, coalesce(u.bytes, 0) as bytes
            from (select a.ord, a.kind || '/' || a.environment || '/' || a.service_name as unit, a.growth, a.max
                  from unnest(p_kind, p_environment, p_service_name, growth, p_max) with ordinality
                       as a(kind, environment, service_name, growth, max, ord)) c
            left join lateral (select u.bytes from units u where u.unit = c.unit limit 1) u on true
            order by c.ord
        loop
            continue when outcomes[hit.ord] <> 'done';
            n := coalesce((grown ->> hit.unit)::bigint, 0) + hit.growth;
            if hit.growth > 0 and hit.bytes + n > hit.max then
                outcomes[hit.ord] := 'full';
            else
                grown := grown || jsonb_build_object(hit.unit, n);
            end if;
        end loop;
    end if;

    -- an entry was judged as if those before it that belong to the unit were applied
    if cardinality(p_judged) > 1 then
        for hit in
            select j.ord,
                   bool_or(outcomes[j.ord] <> 'done'
                           and p_kind[j.ord] || '/' || p_environment[j.ord] || '/' || p_service_name[j.ord] = j.unit)
                       over (partition by j.unit order by j.place) as broken
            from unnest(p_judged, p_judged_unit) with ordinality as j(ord, unit, place)
        loop
            if hit.broken and outcomes[hit.ord] = 'done' then
                outcomes[hit.ord] := 'moved';
            end if;
        end loop;
    end if;

    if p_dry or (p_set is not null and 'done' <> any(outcomes)) then
        return query select *, false from unnest(outcomes, revisions, hashes, others);
        return;
    end if;

    -- from here on, what has a hash is applied
    rev := h.revision;
    chain := h.hash;
    for i in 1 .. cardinality(outcomes) loop
        if outcomes[i] = 'done' then
            rev := rev + 1;
            chain := sha256(chain || int8send(rev) || p_digest[i]);
            revisions[i] := rev;
            hashes[i] := chain;
        end if;
    end loop;
    if rev = h.revision then
        return query select *, false from unnest(outcomes, revisions, hashes, others);
        return;
    end if;
    if rev / 1000 > h.revision / 1000 then
        perform ensure_partitions(rev);
    end if;
    insert into changes (revision, epoch, event_id, kind, action, resource_id, environment, service_name, name, version,
                         fence, actor_type, actor_id, actor, request_id, comment, occurred_at, row, sealed, bytes, digest, hash,
                         set_id, set_index, set_count, trace_parent)
        select c.revision, h.epoch, c.event_id, c.kind, c.action, c.id, c.environment, c.service_name, c.name, c.version,
               c.stands, c.actor_type, c.actor_id, c.actor, c.request_id, c.comment, c.occurred_at, c.row, c.sealed, c.bytes, c.digest, c.hash,
               p_set, case when p_set is not null then c.revision - h.revision - 1 end,
               case when p_set is not null then cardinality(p_op) end, c.trace_parent
        from unnest(revisions, p_event_id, p_kind, p_action, p_id, p_environment, p_service_name, p_name, p_version,
                    p_stands, p_actor_type, p_actor_id, p_actor, p_request_id, p_comment, p_occurred_at, p_row, p_sealed, p_bytes, p_digest, hashes,
                    p_trace_parent)
             as c(revision, event_id, kind, action, id, environment, service_name, name, version,
                  stands, actor_type, actor_id, actor, request_id, comment, occurred_at, row, sealed, bytes, digest, hash,
                  trace_parent)
        where c.hash is not null;
    if 'delete' = any(p_op) then
        delete from resources r
            using unnest(p_op, p_kind, p_id, hashes) as c(op, kind, id, hash)
            where c.op = 'delete' and c.hash is not null and r.kind collate "C" = c.kind and r.id = c.id;
        get diagnostics n = row_count;
        applied := applied + n;
    end if;
    if 'update' = any(p_op) then
        update resources r set version = c.version, revision = c.revision, fence = coalesce(c.fence, r.fence),
                               row = c.row, sealed = c.sealed, bytes = c.bytes, words = c.words
            from unnest(p_op, p_kind, p_id, p_version, p_fence, p_row, p_sealed, p_bytes, p_words, revisions, hashes)
                 as c(op, kind, id, version, fence, row, sealed, bytes, words, revision, hash)
            where c.op = 'update' and c.hash is not null and r.kind collate "C" = c.kind and r.id = c.id;
        get diagnostics n = row_count;
        applied := applied + n;
    end if;
    if 'create' = any(p_op) then
        insert into resources (kind, id, environment, service_name, name, version, revision, fence, row, sealed, bytes,
                               words)
            select c.kind, c.id, c.environment, c.service_name, c.name, c.version, c.revision, c.stands, c.row, c.sealed,
                   c.bytes, c.words
            from unnest(p_op, p_kind, p_id, p_environment, p_service_name, p_name, p_version, revisions, p_stands,
                        p_row, p_sealed, p_bytes, p_words, hashes)
                 as c(op, kind, id, environment, service_name, name, version, revision, stands, row, sealed, bytes, words,
                      hash)
            where c.op = 'create' and c.hash is not null;
        get diagnostics n = row_count;
        applied := applied + n;
    end if;
    if applied <> rev - h.revision then
        raise exception 'of % changes % reached their resource', rev - h.revision, applied;
    end if;
    insert into units (unit, revision, bytes, resources)
        select c.kind || '/' || c.environment || '/' || c.service_name, max(c.revision), sum(c.growth),
               sum(case c.op when 'create' then 1 when 'delete' then -1 else 0 end)
        from unnest(p_op, p_kind, p_environment, p_service_name, growth, revisions, hashes)
             as c(op, kind, environment, service_name, growth, revision, hash)
        where c.hash is not null
        group by 1
        on conflict (unit) do update set revision = excluded.revision, bytes = units.bytes + excluded.bytes,
                                         resources = units.resources + excluded.resources;
    if 'delete' = any(p_op) then
        for hit in
            select u.unit, u.revision, d.kind, unit_mark(d.environment, d.service_name) as mark
            from (select distinct c.kind, c.environment, c.service_name
                  from unnest(p_op, p_kind, p_environment, p_service_name, hashes)
                       as c(op, kind, environment, service_name, hash)
                  where c.op = 'delete' and c.hash is not null) d
            cross join lateral (select s.unit, s.revision from units s
                                where s.unit = d.kind || '/' || d.environment || '/' || d.service_name
                                  and s.resources = 0 limit 1) u
        loop
            delete from units u where u.unit = hit.unit;
            insert into units as m (unit, revision) values ('~/' || hit.kind || '/' || hit.mark, hit.revision)
                on conflict (unit) do update set revision = greatest(m.revision, excluded.revision);
            update changes c set empties_unit = true where c.revision = hit.revision;
            emptied := emptied || hit.revision;
        end loop;
    end if;
    if cardinality(p_keyed) > 0 then
        insert into idempotency (caller, key, digest, revision, set_id, at)
            select k.caller, k.key, k.digest, revisions[k.ord], p_set, p_occurred_at[k.ord]
            from unnest(p_keyed, p_caller, p_key, p_key_digest) as k(ord, caller, key, digest)
            where hashes[k.ord] is not null
            on conflict (caller, key) do update
                set digest = excluded.digest, revision = excluded.revision, set_id = excluded.set_id, at = excluded.at;
    end if;
    update head set revision = rev, hash = chain, at = greatest(h.at, p_occurred_at[1]);
    perform pg_notify('changes', rev::text);
    return query select t.*, coalesce(t.r = any(emptied), false)
        from unnest(outcomes, revisions, hashes, others) as t(o, r, h, i);
end $$;

-- Begins a new epoch after the log went back (a restore, a failover that lost something): a marker row above every
-- revision that anyone has seen, the only gap there is. Does nothing where another node has done it already.
create function begin_epoch(p_epoch bigint, p_at_least bigint, p_event_id uuid, p_digest bytea)
returns table (now_epoch bigint, now_revision bigint) language plpgsql as $$
declare
    h   head%rowtype;
    rev bigint;
begin
    select * into h from head for update;
    if h.epoch <= p_epoch or h.revision <= p_at_least then
        rev := greatest(h.revision, p_at_least) + 1;
        perform ensure_partitions(rev);
        h.epoch := greatest(h.epoch, p_epoch) + 1;
        h.hash := sha256(h.hash || int8send(rev) || p_digest);
        insert into changes (revision, epoch, event_id, kind, action, resource_id, environment, service_name, name,
                             version, occurred_at, row, digest, hash)
            values (rev, h.epoch, p_event_id, 'log', 'epoch', 'log', '', '', 'log', h.epoch, greatest(now(), h.at), '{}',
                    p_digest, h.hash);
        update head set epoch = h.epoch, revision = rev, hash = h.hash, at = greatest(now(), h.at);
        perform pg_notify('changes', rev::text);
        h.revision := rev;
    end if;
    now_epoch := h.epoch;
    now_revision := h.revision;
    return next;
end $$;

-- The last revision before a time, found in steps that halve the log: no change has an earlier time than the one before it.
create function revision_before(p_at timestamptz) returns bigint language plpgsql stable as $$
declare
    low  bigint;
    high bigint;
    mid  bigint;
    hit  record;
begin
    select anchor_revision into low from retention;
    select revision into high from head;
    -- all up to low are before the time, all above high are not
    while low < high loop
        mid := (low + high + 1) / 2;
        select c.revision, c.occurred_at into hit from changes c where c.revision <= mid order by c.revision desc limit 1;
        if hit.revision is null or hit.revision <= low then
            low := mid;
        elsif hit.occurred_at < p_at then
            low := mid;
        else
            high := hit.revision - 1;
        end if;
    end loop;
    return low;
end $$;

-- The oldest partition, where all of it may go: it is full, its last change is older than p_keep, the next one is there, and
-- no consumer of the log has yet to read it. A consumer that nobody has been for longer than that is none any more.
-- Its state: attached, detaching (a detaching was cut off half way) or detached.
create function droppable_partition(p_keep interval)
returns table (first bigint, upto bigint, name text, state text, held_by text) language sql as $$
    select p.first, p.upto, p.name,
           coalesce((select case when i.inhdetachpending then 'detaching' else 'attached' end
                     from pg_inherits i
                     where i.inhparent = 'changes'::regclass and i.inhrelid = to_regclass(p.name)), 'detached'),
           (select min(c.name) from cursors c
            where c.position < p.upto - 1 and c.until > now() - greatest(p_keep, interval '1 day'))
    from (select * from log_partitions order by first limit 1) p, head h
    where p.upto <= h.revision
      and coalesce((select c.occurred_at from changes c where c.revision >= p.first and c.revision < p.upto
                    order by c.revision desc limit 1) < now() - p_keep, true)
$$;

-- Copies the changes of resources whose kind keeps its history (p_kinds) from a partition to the history, and moves the
-- anchor over it. From then on nobody reads the partition.
create function leave_partition(p_first bigint, p_upto bigint, p_kinds text[]) returns bigint language plpgsql as $$
declare
    copied bigint;
begin
    insert into history
        select c.* from changes c
        where c.revision >= p_first and c.revision < p_upto and c.kind = any(p_kinds)
          and (exists (select from resources r where r.kind = c.kind and r.id = c.resource_id)
               or exists (select from changes l where l.kind = c.kind and l.resource_id = c.resource_id
                          and l.revision >= p_upto))
        on conflict do nothing;
    get diagnostics copied = row_count;
    update retention set anchor_revision = c.revision, anchor_hash = c.hash
        from (select revision, hash from changes where revision < p_upto order by revision desc limit 1) c
        where c.revision > anchor_revision;
    -- resources that are gone, and of whose end the log tells nothing any more
    delete from history h
        where not exists (select from resources r where r.kind = h.kind and r.id = h.resource_id)
          and not exists (select from changes c where c.kind = h.kind and c.resource_id = h.resource_id
                          and c.revision >= p_upto);
    return copied;
end $$;

-- Forgets a partition that is not part of the log any more.
create function drop_partition(p_first bigint, p_name text) returns void language plpgsql as $$
begin
    execute format('drop table if exists %I', p_name);
    delete from log_partitions where first = p_first;
end $$;

-- The size of partitions that are made from now on; those that are there and empty are made anew.
create function set_partition_size(p_size bigint) returns void language plpgsql as $$
declare
    h head%rowtype;
    p log_partitions%rowtype;
begin
    if (select partition_size = p_size from retention) then
        return;
    end if;
    set local lock_timeout = '2s';
    select * into h from head for update;
    update retention set partition_size = p_size;
    for p in select * from log_partitions order by first desc loop
        exit when exists (select from changes c where c.revision >= p.first and c.revision < p.upto);
        perform drop_partition(p.first, p.name);
    end loop;
    perform ensure_partitions(h.revision);
end $$;
