-- The one row that every write locks first: so the order of revisions is the order of commits.
create table head (
    single   boolean primary key default true check (single),
    epoch    bigint  not null,
    revision bigint  not null,
    hash     bytea   not null
);
insert into head (epoch, revision, hash) values (1, 0, decode(repeat('00', 32), 'hex'));

-- What stands now. environment and service_name are '' where the resource has none. The row holds no ciphertext: that
-- is in sealed, which may be sealed again with a new key without a new revision.
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
    primary key (kind, id),
    constraint resources_path unique (kind, environment, service_name, name)
);

-- Lists are in the order of names.
create index resources_name on resources (kind, name, environment, service_name);

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
    actor        text,
    request_id   text,
    comment      text,
    occurred_at  timestamptz not null,
    row          json        not null,
    sealed       bytea,
    digest       bytea       not null,
    hash         bytea       not null,
    primary key (revision)
) partition by range (revision);

create index changes_event on changes (event_id);
create index changes_resource on changes (kind, resource_id, version);

-- The last revision that touched each unit of reading: a layer of configurations, the flags of an environment, the
-- instances of a service, the keys. What is not here has never been written.
create table units (
    unit     text   primary key,
    revision bigint not null
);

create table idempotency (
    caller   text        not null,
    key      text        not null,
    digest   bytea       not null,
    revision bigint      not null,
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

-- Who was shown which secret; not changes, written in batches.
create table secret_reads (
    id           uuid        primary key,
    occurred_at  timestamptz not null,
    actor        text        not null,
    request_id   text        not null,
    resource_id  text        not null,
    environment  text        not null,
    service_name text        not null,
    name         text        not null
);

-- Makes the partitions that hold the revisions from p_revision on, and the next ones, where they are missing.
create function ensure_partitions(p_revision bigint) returns void language plpgsql as $$
declare
    size constant bigint := 1000000;
    first bigint := p_revision / size;
begin
    for n in first .. first + 1 loop
        if to_regclass('changes_' || n) is null then
            execute format('create table %I (like changes including defaults including constraints)', 'changes_' || n);
            execute format('alter table changes attach partition %I for values from (%s) to (%s)',
                           'changes_' || n, n * size, (n + 1) * size);
        end if;
    end loop;
end $$;
select ensure_partitions(0);

-- Applies commands in order, each as one revision, and says of each what became of it:
--   done      applied: revision and hash
--   replayed  its Idempotency-Key was used before: revision of then
--   reused    the same, with another request
--   taken     the path belongs to another resource: other_id
--   moved     the resource has another version than the command was computed from (or a higher fence)
--   gone      the resource is not there
-- Refuses everything ('CS001') where the log is not the one that the caller knows: another epoch, fewer revisions, or
-- another change at the revision that the caller has applied last.
create function apply_commands(p_epoch bigint, p_revision bigint, p_hash text, p_commands json)
returns table (ord integer, outcome text, at_revision bigint, at_hash bytea, other_id text)
language plpgsql as $$
declare
    h            head%rowtype;
    c            record;
    was          record;
    n            integer := 0;
    rev          bigint;
    chain        bytea;
    done_any     boolean := false;
    rows_touched bigint;
begin
    select * into h from head for update;
    if h.epoch <> p_epoch or h.revision < p_revision
       or (h.revision = p_revision and h.hash <> decode(p_hash, 'hex')) then
        raise exception 'the log is at %/%', h.epoch, h.revision using errcode = 'CS001';
    end if;
    rev := h.revision;
    chain := h.hash;
    for c in
        select * from json_to_recordset(p_commands) as x(
            op text, event_id uuid, kind text, id text, action text, environment text, service_name text, name text,
            expected bigint, version bigint, fence bigint, stands bigint, actor text, request_id text, comment text,
            occurred_at timestamptz, "row" json, sealed text, digest text,
            idempotency_caller text, idempotency_key text, idempotency_digest text)
    loop
        n := n + 1;
        ord := n;
        outcome := null;
        at_revision := null;
        at_hash := null;
        other_id := null;
        if c.idempotency_key is not null then
            select i.digest, i.revision into was from idempotency i
                where i.caller = c.idempotency_caller and i.key = c.idempotency_key
                  and i.at > c.occurred_at - interval '1 day';
            if found then
                at_revision := was.revision;
                outcome := case when was.digest = decode(c.idempotency_digest, 'hex') then 'replayed' else 'reused' end;
                return next;
                continue;
            end if;
        end if;
        if c.op = 'create' then
            insert into resources (kind, id, environment, service_name, name, version, revision, fence, row, sealed)
                values (c.kind, c.id, c.environment, c.service_name, c.name, c.version, rev + 1, coalesce(c.fence, 0),
                        c.row, decode(c.sealed, 'hex'))
                on conflict do nothing;
            if not found then
                select r.id into other_id from resources r
                    where r.kind = c.kind and r.environment = c.environment and r.service_name = c.service_name
                      and r.name = c.name;
                outcome := case when found and other_id <> c.id then 'taken' else 'moved' end;
            end if;
        elsif c.op = 'update' then
            update resources r set version = c.version, revision = rev + 1, fence = coalesce(c.fence, r.fence),
                   row = c.row, sealed = decode(c.sealed, 'hex')
                where r.kind = c.kind and r.id = c.id and r.version = c.expected
                  and (c.fence is null or r.fence < c.fence);
            if not found then
                outcome := case when exists (select from resources r where r.kind = c.kind and r.id = c.id)
                           then 'moved' else 'gone' end;
            end if;
        else
            delete from resources r
                where r.kind = c.kind and r.id = c.id and r.version = c.expected
                  and (c.fence is null or r.fence < c.fence);
            if not found then
                outcome := case when exists (select from resources r where r.kind = c.kind and r.id = c.id)
                           then 'moved' else 'gone' end;
            end if;
        end if;
        if outcome is not null then
            return next;
            continue;
        end if;
        rev := rev + 1;
        chain := sha256(chain || int8send(rev) || decode(c.digest, 'hex'));
        insert into changes (revision, epoch, event_id, kind, action, resource_id, environment, service_name, name,
                             version, fence, actor, request_id, comment, occurred_at, row, sealed, digest, hash)
            values (rev, h.epoch, c.event_id, c.kind, c.action, c.id, c.environment, c.service_name, c.name, c.version,
                    c.stands, c.actor, c.request_id, c.comment, c.occurred_at, c.row, decode(c.sealed, 'hex'),
                    decode(c.digest, 'hex'), chain);
        insert into units (unit, revision) values (c.kind || '/' || c.environment || '/' || c.service_name, rev)
            on conflict (unit) do update set revision = excluded.revision;
        if c.idempotency_key is not null then
            insert into idempotency (caller, key, digest, revision, at)
                values (c.idempotency_caller, c.idempotency_key, decode(c.idempotency_digest, 'hex'), rev, c.occurred_at)
                on conflict (caller, key) do update
                    set digest = excluded.digest, revision = excluded.revision, at = excluded.at;
        end if;
        if rev % 1000 = 0 then
            perform ensure_partitions(rev);
        end if;
        done_any := true;
        outcome := 'done';
        at_revision := rev;
        at_hash := chain;
        return next;
    end loop;
    if done_any then
        update head set revision = rev, hash = chain;
        perform pg_notify('changes', rev::text);
    end if;
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
            values (rev, h.epoch, p_event_id, 'log', 'epoch', 'log', '', '', 'log', h.epoch, now(), '{}', p_digest,
                    h.hash);
        update head set epoch = h.epoch, revision = rev, hash = h.hash;
        perform pg_notify('changes', rev::text);
        h.revision := rev;
    end if;
    now_epoch := h.epoch;
    now_revision := h.revision;
    return next;
end $$;
