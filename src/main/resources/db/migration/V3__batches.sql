-- A batch is applied by a few statements for all of its commands instead of some for each.

-- An update finds room on the page of the row: then no index of the table is touched.
alter table resources set (fillfactor = 80);

-- A resource is looked up by its id first. While the table is small or was never analyzed, every index that begins with the
-- kind looks as good as the right one, and the plan is kept: so where ids are asked for, the kind is compared in another
-- collation than that of the indexes, and the primary key alone can be used.
alter table resources drop constraint resources_pkey;
alter table resources add primary key (id, kind);

-- The few changes that are looked up by their event are among the last revisions.
drop index changes_event;

-- Applies commands, each as one revision, in their order; the arrays hold a column of them each. No two may be for one
-- resource, and none of the batch may depend on another of it: two that create the same path, or that came with the same
-- Idempotency-Key, fail the whole call (23505, 21000). Says of each what became of it:
--   done      applied: revision and hash
--   replayed  its Idempotency-Key was used before: revision of then
--   reused    the same, with another request
--   taken     the path belongs to another resource: other_id
--   moved     the resource has another version than the command was computed from (or a higher fence)
--   gone      the resource is not there
-- Refuses everything ('CS001') where the log is not the one that the caller knows: another epoch, fewer revisions, or
-- another change at the revision that the caller has applied last.
-- The settings: each step is a look into an index for each command, however small a table was when it was last analyzed.
-- (apply_commands, which this replaces, stays for nodes of the version before.)
create function apply_batch(
    p_epoch bigint, p_revision bigint, p_hash bytea,
    p_op text[], p_event_id uuid[], p_kind text[], p_id text[], p_action text[], p_environment text[],
    p_service_name text[], p_name text[], p_expected bigint[], p_version bigint[], p_fence bigint[], p_stands bigint[],
    p_actor text[], p_request_id text[], p_comment text[], p_occurred_at timestamptz[], p_row json[], p_sealed bytea[],
    p_digest bytea[],
    -- of those that came with an Idempotency-Key: which they are, from 1 on
    p_keyed int[], p_caller text[], p_key text[], p_key_digest bytea[])
returns table (outcome text, at_revision bigint, at_hash bytea, other_id text)
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
begin
    select * into h from head for update;
    if h.epoch <> p_epoch or h.revision < p_revision or (h.revision = p_revision and h.hash <> p_hash) then
        raise exception 'the log is at %/%', h.epoch, h.revision using errcode = 'CS001';
    end if;

    select array_agg(case when c.op = 'create' then case when r.id is null then 'done' else 'moved' end
                          when r.id is null then 'gone'
                          when r.version <> c.expected or r.fence >= c.fence then 'moved'
                          else 'done' end order by c.ord)
        into outcomes
        from unnest(p_op, p_kind, p_id, p_expected, p_fence) with ordinality as c(op, kind, id, expected, fence, ord)
        left join lateral (select s.id, s.version, s.fence from resources s where s.kind collate "C" = c.kind and s.id = c.id
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
    if cardinality(p_keyed) > 0 then
        for hit in
            select k.ord, i.digest = k.digest as same, i.revision
            from unnest(p_keyed, p_caller, p_key, p_key_digest) as k(ord, caller, key, digest)
            join lateral (select s.digest, s.revision from idempotency s
                          where s.caller = k.caller and s.key = k.key
                            and s.at > p_occurred_at[k.ord] - interval '1 day' limit 1) i on true
        loop
            outcomes[hit.ord] := case when hit.same then 'replayed' else 'reused' end;
            others[hit.ord] := null;
            revisions[hit.ord] := hit.revision;
        end loop;
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
        return query select * from unnest(outcomes, revisions, hashes, others);
        return;
    end if;
    if rev / 1000 > h.revision / 1000 then
        perform ensure_partitions(rev);
    end if;
    insert into changes (revision, epoch, event_id, kind, action, resource_id, environment, service_name, name, version,
                         fence, actor, request_id, comment, occurred_at, row, sealed, digest, hash)
        select c.revision, h.epoch, c.event_id, c.kind, c.action, c.id, c.environment, c.service_name, c.name, c.version,
               c.stands, c.actor, c.request_id, c.comment, c.occurred_at, c.row, c.sealed, c.digest, c.hash
        from unnest(revisions, p_event_id, p_kind, p_action, p_id, p_environment, p_service_name, p_name, p_version,
                    p_stands, p_actor, p_request_id, p_comment, p_occurred_at, p_row, p_sealed, p_digest, hashes)
             as c(revision, event_id, kind, action, id, environment, service_name, name, version,
                  stands, actor, request_id, comment, occurred_at, row, sealed, digest, hash)
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
                               row = c.row, sealed = c.sealed
            from unnest(p_op, p_kind, p_id, p_version, p_fence, p_row, p_sealed, revisions, hashes)
                 as c(op, kind, id, version, fence, row, sealed, revision, hash)
            where c.op = 'update' and c.hash is not null and r.kind collate "C" = c.kind and r.id = c.id;
        get diagnostics n = row_count;
        applied := applied + n;
    end if;
    if 'create' = any(p_op) then
        insert into resources (kind, id, environment, service_name, name, version, revision, fence, row, sealed)
            select c.kind, c.id, c.environment, c.service_name, c.name, c.version, c.revision, coalesce(c.fence, 0),
                   c.row, c.sealed
            from unnest(p_op, p_kind, p_id, p_environment, p_service_name, p_name, p_version, revisions, p_fence,
                        p_row, p_sealed, hashes)
                 as c(op, kind, id, environment, service_name, name, version, revision, fence, row, sealed, hash)
            where c.op = 'create' and c.hash is not null;
        get diagnostics n = row_count;
        applied := applied + n;
    end if;
    if applied <> rev - h.revision then
        raise exception 'of % changes % reached their resource', rev - h.revision, applied;
    end if;
    insert into units (unit, revision)
        select c.kind || '/' || c.environment || '/' || c.service_name, max(c.revision)
        from unnest(p_kind, p_environment, p_service_name, revisions, hashes)
             as c(kind, environment, service_name, revision, hash)
        where c.hash is not null
        group by 1
        on conflict (unit) do update set revision = excluded.revision;
    if cardinality(p_keyed) > 0 then
        insert into idempotency (caller, key, digest, revision, at)
            select k.caller, k.key, k.digest, revisions[k.ord], p_occurred_at[k.ord]
            from unnest(p_keyed, p_caller, p_key, p_key_digest) as k(ord, caller, key, digest)
            where hashes[k.ord] is not null
            on conflict (caller, key) do update
                set digest = excluded.digest, revision = excluded.revision, at = excluded.at;
    end if;
    update head set revision = rev, hash = chain;
    perform pg_notify('changes', rev::text);
    return query select * from unnest(outcomes, revisions, hashes, others);
end $$;
