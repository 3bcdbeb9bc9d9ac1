--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: apply_batch(bigint, bigint, bytea, text[], uuid[], text[], text[], text[], text[], text[], text[], bigint[], bigint[], bigint[], bigint[], text[], text[], text[], text[], text[], timestamp with time zone[], json[], bytea[], bytea[], integer[], bigint[], text[], integer[], text[], text[], bytea[], integer[], text[], bigint[], text[], uuid, boolean); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.apply_batch(p_epoch bigint, p_revision bigint, p_hash bytea, p_op text[], p_event_id uuid[], p_kind text[], p_id text[], p_action text[], p_environment text[], p_service_name text[], p_name text[], p_expected bigint[], p_version bigint[], p_fence bigint[], p_stands bigint[], p_actor_type text[], p_actor_id text[], p_actor text[], p_request_id text[], p_comment text[], p_occurred_at timestamp with time zone[], p_row json[], p_sealed bytea[], p_digest bytea[], p_bytes integer[], p_max bigint[], p_words text[], p_keyed integer[], p_caller text[], p_key text[], p_key_digest bytea[], p_judged integer[], p_judged_unit text[], p_judged_revision bigint[], p_trace_parent text[], p_set uuid, p_dry boolean) RETURNS TABLE(outcome text, at_revision bigint, at_hash bytea, other_id text, empties_unit boolean)
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
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


--
-- Name: begin_epoch(bigint, bigint, uuid, bytea); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.begin_epoch(p_epoch bigint, p_at_least bigint, p_event_id uuid, p_digest bytea) RETURNS TABLE(now_epoch bigint, now_revision bigint)
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: drop_partition(bigint, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.drop_partition(p_first bigint, p_name text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    execute format('drop table if exists %I', p_name);
    delete from log_partitions where first = p_first;
end $$;


--
-- Name: droppable_partition(interval); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.droppable_partition(p_keep interval) RETURNS TABLE(first bigint, upto bigint, name text, state text, held_by text)
    LANGUAGE sql
    AS $$
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


--
-- Name: ensure_partitions(bigint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.ensure_partitions(p_revision bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: leave_partition(bigint, bigint, text[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.leave_partition(p_first bigint, p_upto bigint, p_kinds text[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: revision_before(timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.revision_before(p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
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


--
-- Name: set_partition_size(bigint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.set_partition_size(p_size bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


--
-- Name: unit_mark(text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.unit_mark(p_environment text, p_service_name text) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE
    AS $$
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


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: access_denials; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.access_denials (
    id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor_type text,
    actor_id text,
    actor text,
    address text NOT NULL,
    status integer NOT NULL,
    detail text NOT NULL,
    attempts bigint NOT NULL
);


--
-- Name: changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.changes (
    revision bigint NOT NULL,
    epoch bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    action text NOT NULL,
    resource_id text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    actor_type text DEFAULT 'system'::text NOT NULL,
    actor_id text DEFAULT 'system'::text NOT NULL,
    actor text DEFAULT 'system'::text NOT NULL,
    request_id text,
    comment text,
    occurred_at timestamp with time zone NOT NULL,
    "row" json NOT NULL,
    sealed bytea,
    bytes integer DEFAULT 0 NOT NULL,
    digest bytea NOT NULL,
    hash bytea NOT NULL,
    empties_unit boolean DEFAULT false NOT NULL,
    set_id uuid,
    set_index integer,
    set_count integer,
    trace_parent text
)
PARTITION BY RANGE (revision);


--
-- Name: changes_from_0; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.changes_from_0 (
    revision bigint NOT NULL,
    epoch bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    action text NOT NULL,
    resource_id text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    actor_type text DEFAULT 'system'::text NOT NULL,
    actor_id text DEFAULT 'system'::text NOT NULL,
    actor text DEFAULT 'system'::text NOT NULL,
    request_id text,
    comment text,
    occurred_at timestamp with time zone NOT NULL,
    "row" json NOT NULL,
    sealed bytea,
    bytes integer DEFAULT 0 NOT NULL,
    digest bytea NOT NULL,
    hash bytea NOT NULL,
    empties_unit boolean DEFAULT false NOT NULL,
    set_id uuid,
    set_index integer,
    set_count integer,
    trace_parent text
);


--
-- Name: changes_from_1000000; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.changes_from_1000000 (
    revision bigint NOT NULL,
    epoch bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    action text NOT NULL,
    resource_id text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    actor_type text DEFAULT 'system'::text NOT NULL,
    actor_id text DEFAULT 'system'::text NOT NULL,
    actor text DEFAULT 'system'::text NOT NULL,
    request_id text,
    comment text,
    occurred_at timestamp with time zone NOT NULL,
    "row" json NOT NULL,
    sealed bytea,
    bytes integer DEFAULT 0 NOT NULL,
    digest bytea NOT NULL,
    hash bytea NOT NULL,
    empties_unit boolean DEFAULT false NOT NULL,
    set_id uuid,
    set_index integer,
    set_count integer,
    trace_parent text
);


--
-- Name: cursors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.cursors (
    name text NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    holder text DEFAULT ''::text NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);


--
-- Name: flag_usage; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.flag_usage (
    flag_id text NOT NULL,
    hour timestamp with time zone NOT NULL,
    variant text NOT NULL,
    reason text NOT NULL,
    evaluations bigint NOT NULL,
    last_at timestamp with time zone NOT NULL
);


--
-- Name: flyway_schema_history; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.flyway_schema_history (
    installed_rank integer NOT NULL,
    version character varying(50),
    description character varying(200) NOT NULL,
    type character varying(20) NOT NULL,
    script character varying(1000) NOT NULL,
    checksum integer,
    installed_by character varying(100) NOT NULL,
    installed_on timestamp without time zone DEFAULT now() NOT NULL,
    execution_time integer NOT NULL,
    success boolean NOT NULL
);


--
-- Name: head; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.head (
    single boolean DEFAULT true NOT NULL,
    epoch bigint NOT NULL,
    revision bigint NOT NULL,
    hash bytea NOT NULL,
    at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT head_single_check CHECK (single)
);


--
-- Name: history; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.history (
    revision bigint NOT NULL,
    epoch bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    action text NOT NULL,
    resource_id text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    actor_type text DEFAULT 'system'::text NOT NULL,
    actor_id text DEFAULT 'system'::text NOT NULL,
    actor text DEFAULT 'system'::text NOT NULL,
    request_id text,
    comment text,
    occurred_at timestamp with time zone NOT NULL,
    "row" json NOT NULL,
    sealed bytea,
    bytes integer DEFAULT 0 NOT NULL,
    digest bytea NOT NULL,
    hash bytea NOT NULL,
    empties_unit boolean DEFAULT false NOT NULL,
    set_id uuid,
    set_index integer,
    set_count integer,
    trace_parent text
);


--
-- Name: idempotency; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency (
    caller text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    revision bigint NOT NULL,
    set_id uuid,
    at timestamp with time zone NOT NULL
);


--
-- Name: key_usage; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.key_usage (
    id text NOT NULL,
    last_used_at timestamp with time zone NOT NULL
);


--
-- Name: log_partitions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.log_partitions (
    first bigint NOT NULL,
    upto bigint NOT NULL,
    name text NOT NULL
);


--
-- Name: node_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.node_keys (
    node text NOT NULL,
    keys integer[] NOT NULL,
    seen_at timestamp with time zone NOT NULL
);


--
-- Name: nodes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.nodes (
    id uuid NOT NULL,
    seen_at timestamp with time zone NOT NULL
);


--
-- Name: retention; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.retention (
    single boolean DEFAULT true NOT NULL,
    partition_size bigint DEFAULT 1000000 NOT NULL,
    anchor_revision bigint DEFAULT 0 NOT NULL,
    anchor_hash bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    CONSTRAINT retention_single_check CHECK (single)
);


--
-- Name: resource_changes; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.resource_changes AS
 SELECT h.revision,
    h.epoch,
    h.event_id,
    h.kind,
    h.action,
    h.resource_id,
    h.environment,
    h.service_name,
    h.name,
    h.version,
    h.fence,
    h.actor_type,
    h.actor_id,
    h.actor,
    h.request_id,
    h.comment,
    h.occurred_at,
    h."row",
    h.sealed,
    h.bytes,
    h.digest,
    h.hash,
    h.empties_unit,
    h.set_id,
    h.set_index,
    h.set_count,
    h.trace_parent
   FROM public.history h
  WHERE (h.revision <= ( SELECT retention.anchor_revision
           FROM public.retention))
UNION ALL
 SELECT c.revision,
    c.epoch,
    c.event_id,
    c.kind,
    c.action,
    c.resource_id,
    c.environment,
    c.service_name,
    c.name,
    c.version,
    c.fence,
    c.actor_type,
    c.actor_id,
    c.actor,
    c.request_id,
    c.comment,
    c.occurred_at,
    c."row",
    c.sealed,
    c.bytes,
    c.digest,
    c.hash,
    c.empties_unit,
    c.set_id,
    c.set_index,
    c.set_count,
    c.trace_parent
   FROM public.changes c
  WHERE (c.revision > ( SELECT retention.anchor_revision
           FROM public.retention));


--
-- Name: resources; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.resources (
    kind text NOT NULL,
    id text NOT NULL,
    environment text NOT NULL COLLATE pg_catalog."C",
    service_name text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    revision bigint NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    "row" json NOT NULL,
    sealed bytea,
    bytes integer DEFAULT 0 NOT NULL,
    words text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='80');


--
-- Name: seals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seals (
    revision bigint NOT NULL,
    previous bigint NOT NULL,
    hash bytea NOT NULL,
    at timestamp with time zone NOT NULL,
    key_id text NOT NULL,
    code bytea NOT NULL
);


--
-- Name: secret_reads; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.secret_reads (
    id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor_type text NOT NULL,
    actor_id text NOT NULL,
    actor text NOT NULL,
    request_id text NOT NULL,
    resource_id text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    name text NOT NULL
);


--
-- Name: units; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.units (
    unit text NOT NULL,
    revision bigint NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    resources bigint DEFAULT 0 NOT NULL
);


--
-- Name: written_batches; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.written_batches (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL
);


--
-- Name: changes_from_0; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes ATTACH PARTITION public.changes_from_0 FOR VALUES FROM ('0') TO ('1000000');


--
-- Name: changes_from_1000000; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes ATTACH PARTITION public.changes_from_1000000 FOR VALUES FROM ('1000000') TO ('2000000');


--
-- Data for Name: access_denials; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.access_denials VALUES ('01a21b7e-26d6-7000-956f-6df9f381e1e8', '2026-11-27 05:33:02.038347+00', NULL, NULL, NULL, '127.0.0.1', 401, 'unauthenticated', 1);


--
-- Data for Name: changes_from_0; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.changes_from_0 VALUES (1, 1, '01a21b7e-19a5-7000-a56b-136b46b6f7ef', 'configuration', 'created', '01a21b7e-19a5-7000-a56b-136b46b6f7ef', 'production', '', 'db.url', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000000', NULL, '2026-11-27 05:32:58.692+00', '{"value":"postgresql://db/app","is_encrypted":false,"description":"where","created_at":"2026-11-27T05:32:58.692Z","updated_at":"2026-11-27T05:32:58.692Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 276, '\xfb2dfcf02f45e4aee763daea691e88f621cb2c32eaf8390f3f40c13acc68313e', '\x3aa31569bd5e45ea9cc089a19829d7e11d4996faa8de6da989cafc8fece384ff', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (2, 1, '01a21b7e-1fde-7000-b386-be870c312323', 'configuration', 'created', '01a21b7e-1fde-7000-b386-be870c312323', 'production', 'shop', 'db.pool', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000001', 'first', '2026-11-27 05:33:00.255+00', '{"value":10,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.255Z","updated_at":"2026-11-27T05:33:00.255Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 255, '\xd2d7fafe6fca5fff05fc1e719a3a1c4c57882012ebaeb4b5b95d0eacb5a0b513', '\x67c90e512e09a700143e158acf93070c413a79b705f1a1ca772d62d872f0f197', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (3, 1, '01a21b7e-202b-7000-a7f6-d7ef02b8f656', 'configuration', 'updated', '01a21b7e-1fde-7000-b386-be870c312323', 'production', 'shop', 'db.pool', 2, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000002', NULL, '2026-11-27 05:33:00.338+00', '{"value":20,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.255Z","updated_at":"2026-11-27T05:33:00.338Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 255, '\xb3703fa7f2fdd598517ad2427c365b5645ef024857979543f92c2cf44eac8584', '\x5462b5def538977e9984ff6b0c81385c38b8e034e0f42b18024de7168d5b677f', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (4, 1, '01a21b7e-20b7-7000-85d1-cdb180bba42d', 'configuration', 'rolled_back', '01a21b7e-1fde-7000-b386-be870c312323', 'production', 'shop', 'db.pool', 3, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000004', NULL, '2026-11-27 05:33:00.478+00', '{"value":10,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.255Z","updated_at":"2026-11-27T05:33:00.478Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 255, '\x4b68b2635ae682a3e5f50427fe70e871ad5122d6db71e3a3d21c5b11e53e5788', '\xbfce79afa9497b771cdb5094375d13691f08f5ebd78e28aac68a114d7c7d6400', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (5, 1, '01a21b7e-20f9-7000-acaa-db58dac28467', 'configuration', 'created', '01a21b7e-20f9-7000-acaa-db58dac28467', 'production', '', 'limits', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000005', NULL, '2026-11-27 05:33:00.538+00', '{"value":{"a":[1,2.50,"ü",true,null]},"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.538Z","updated_at":"2026-11-27T05:33:00.538Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 281, '\x6e82dfa2630bafaedcd6d90d4af7b5a4b2293d0fd5cdd2654c97d20caf765a4a', '\xd36cda7acf85abfbf272e043a2eb38101c481a70fb8a86ffed54a7a4411703a7', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (6, 1, '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'configuration', 'created', '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'production', '', 'password', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000006', NULL, '2026-11-27 05:33:00.615+00', '{"commitment":"2c704fe1f2ab1f6d078c1fbd4d20bb684daef036e309197666c212c0a75fd35a","is_encrypted":true,"description":null,"created_at":"2026-11-27T05:33:00.615Z","updated_at":"2026-11-27T05:33:00.615Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', '\x01ce775e29b42b283449110b1573e5e247006e0e0cc69098f96574823f1f12c989304e6654d540f1421a4d0d84e2def1cdb6d03f3cb63d09d1e0bab6769054f640f429c4a5f779d1f3', 397, '\x0e514e3e06e490d21948f79a64f506255f3703b597710ce7011c6119408c4bc2', '\xd74a2a9d5915b5027358fe26ca733d73c3623c984fdecd1471dded361d556544', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (7, 1, '01a21b7e-21d0-7000-97bf-7d94d2cb8c7c', 'configuration', 'created', '01a21b7e-21d0-7000-97bf-7d94d2cb8c7c', 'production', '', 'gone', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000007', NULL, '2026-11-27 05:33:00.752+00', '{"value":1,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.752Z","updated_at":"2026-11-27T05:33:00.752Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 251, '\xbf6cd7fb015715e900f18e5c9aabd176b3ce4a3285a650cd44ade806e7dc1383', '\xfd1b6616f19424add20dc489786d7a188aca316e5c451e71eab71cae972812a6', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (8, 1, '01a21b7e-2228-7000-8580-32e630319b99', 'configuration', 'deleted', '01a21b7e-21d0-7000-97bf-7d94d2cb8c7c', 'production', '', 'gone', 2, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000008', 'no longer', '2026-11-27 05:33:00.843+00', '{"value":1,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.752Z","updated_at":"2026-11-27T05:33:00.752Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 251, '\xc00e9f5a47a1ab818aa478e142c8f0fba2875d716c6eff967af7bfcd25b82379', '\xa0176eb9e8a36e1d64a4bdaede9f4c02d1514f20502c1bcc730c7bb047cc53de', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (9, 1, '01a21b7e-2282-7000-9432-598a4f58f4dc', 'feature_flag', 'created', '01a21b7e-2282-7000-9432-598a4f58f4dc', 'production', '', 'base', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000009', NULL, '2026-11-27 05:33:00.962+00', '{"description":null,"is_enabled":true,"rollout_percentage":null,"target_users":[],"rules":[],"variants":[],"prerequisites":[],"salt":null,"tags":[],"owner":null,"expires_at":null,"created_at":"2026-11-27T05:33:00.962Z","updated_at":"2026-11-27T05:33:00.962Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 379, '\x24d7fffe02dfd22b2e4874fa3a1d1174c39d138971d69eaa17c550a60f014122', '\x0620965f6640b0fb7fc13bfe129ed8b656169177f7eec85a6189e7fb5e4376cf', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (10, 1, '01a21b7e-232d-7000-8e3b-c453a68729d2', 'feature_flag', 'created', '01a21b7e-232d-7000-8e3b-c453a68729d2', 'production', '', 'ui', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000a', NULL, '2026-11-27 05:33:01.12+00', '{"description":null,"is_enabled":true,"rollout_percentage":12.5,"target_users":["ann"],"rules":[{"constraints":[{"attribute":"plan","operator":"eq","values":["gold"]}]}],"variants":[{"name":"a","value":1,"weight":1},{"name":"b","value":2,"weight":3}],"prerequisites":["base"],"salt":null,"tags":["t"],"owner":null,"expires_at":null,"created_at":"2026-11-27T05:33:01.120Z","updated_at":"2026-11-27T05:33:01.120Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 530, '\xd5ff97e6cd2a7327ed59186ce888bc7b0f97ad239fb44a349254831409177e1d', '\x8daedaf069fa60796ed2f69ec4d6bed7807cb5a49e45c3ba6093485ffa2bd12e', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (11, 1, '01a21b7e-2393-7000-bcfb-749628e110af', 'schema', 'created', '01a21b7e-2393-7000-bcfb-749628e110af', '', '', 'urls', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000b', NULL, '2026-11-27 05:33:01.337+00', '{"environment":null,"service_name":null,"key_pattern":"*.url","schema":{"type":"string"},"enforce":"reject","created_at":"2026-11-27T05:33:01.337Z","updated_at":"2026-11-27T05:33:01.337Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 308, '\x7f53b6c4e9e93f787ccb8fb52bf46edca502d062abfb33e60525a5aa5cf727db', '\x5ab9692707d635a484f78deed14f655cdbd09643302f14bdcb8dbf675f3e54cf', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (12, 1, '01a21b7e-246f-7000-a76f-dabdbc2d5f2d', 'template', 'created', '01a21b7e-246f-7000-a76f-dabdbc2d5f2d', '', '', 'web', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000c', NULL, '2026-11-27 05:33:01.435+00', '{"description":null,"parameters":[{"name":"port","description":null,"required":false,"default":80,"is_secret":false}],"configurations":[{"key":"port","value":"${port}"}],"feature_flags":[],"created_at":"2026-11-27T05:33:01.435Z","updated_at":"2026-11-27T05:33:01.435Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 388, '\x4c7763b6f70eddd63ed51f3da9ca03f7d8f9c9186505814f6f316c7bb611df69', '\xa1935c5d952531f72052003e18790e04ecdbbc525053337bef411d5a68052d27', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (13, 1, '01a21b7e-24f5-7000-8739-26d46da13fe9', 'configuration', 'created', '01a21b7e-24f5-7000-8739-26d46da13fe9', 'production', 'web', 'port', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000d', NULL, '2026-11-27 05:33:01.569+00', '{"value":8080,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:01.569Z","updated_at":"2026-11-27T05:33:01.569Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 254, '\x34e8c836d59819c3b2c75f747a76b0a113ed0251cd965c42b0024c662d93d803', '\xd1bcb8cb38a00ba7fde87bd38cb1afbb7a48c434058560e25cdb7ec6f976caa0', false, '01a21b7e-24f4-7000-860f-815bbe807dc9', 0, 2, NULL);
INSERT INTO public.changes_from_0 VALUES (14, 1, '01a21b7e-24f5-7001-b973-b8ba2dfb4ef9', 'template_use', 'created', '01a21b7e-24f5-7001-b973-b8ba2dfb4ef9', 'production', 'web', 'web', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000d', NULL, '2026-11-27 05:33:01.569+00', '{"template_id":"01a21b7e-246f-7000-a76f-dabdbc2d5f2d","template_version":1,"parameters":{"port":8080},"created_at":"2026-11-27T05:33:01.569Z","updated_at":"2026-11-27T05:33:01.569Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 301, '\xbd1555f7983e24c9a7237932c0502eaaf26107eebfc4fcaacfe01964b243c6f7', '\x00bd62fbed27d15d9b13ef1a3b4ce5cfcee2dcf5ac516b6ab505bd32c26c4e9a', false, '01a21b7e-24f4-7000-860f-815bbe807dc9', 1, 2, NULL);
INSERT INTO public.changes_from_0 VALUES (15, 1, '01a21b7e-2565-7000-afdd-55b1653012b1', 'service', 'registered', 'shop/one', '', 'shop', 'one', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000e', NULL, '2026-11-27 05:33:01.674+00', '{"service_url":"http://10.0.0.7:8080","health_check_url":null,"metadata":{"zone":"a"},"weight":100,"permanent":true,"said":"healthy","registered_by":"admin:admin@127.0.0.1","registered_at":"2026-11-27T05:33:01.669Z","status":"healthy","created_at":"2026-11-27T05:33:01.674Z","updated_at":"2026-11-27T05:33:01.674Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 434, '\x9fb0d763c66c91e5c9b05b13299196335c11c96e0c22eb42c3464f2809643d4f', '\x36455a2d64cc4658c81f35d5de2c7773a5c378eb1009e8b5a357fbe717df0653', false, NULL, NULL, NULL, NULL);
INSERT INTO public.changes_from_0 VALUES (16, 1, '01a21b7e-25ce-7000-8514-e29e1284f36a', 'configuration', 'created', '01a21b7e-25ce-7000-8514-e29e1284f36a', 'production', '', 'x', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000f', 'together', '2026-11-27 05:33:01.775+00', '{"value":1,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:01.775Z","updated_at":"2026-11-27T05:33:01.775Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 248, '\x7edd54830adb27c211e8a0fc1c1b34110606b8b9bc4238964b89fe3cbff29ec5', '\x6edf44b2f7a781be28e02a407eb52ae720e992212d0360a282fc2f2dea9a0e2e', false, '01a21b7e-25cd-7000-b82f-cefabfc3abbd', 0, 2, NULL);
INSERT INTO public.changes_from_0 VALUES (17, 1, '01a21b7e-25ce-7001-a2ae-06338f4b211b', 'feature_flag', 'created', '01a21b7e-25ce-7001-a2ae-06338f4b211b', 'production', '', 'y', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-00000000000f', 'together', '2026-11-27 05:33:01.775+00', '{"description":null,"is_enabled":true,"rollout_percentage":null,"target_users":[],"rules":[],"variants":[],"prerequisites":[],"salt":null,"tags":[],"owner":null,"expires_at":null,"created_at":"2026-11-27T05:33:01.775Z","updated_at":"2026-11-27T05:33:01.775Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 376, '\x0ca14216f3c0db4a949728675da512a1a152e850a7df82b30f5f1c9cd97e8bb6', '\x10186ab55bebd11b95d4a91cf817801f6c1986afeb8ac7604c3c3ea75b7559bf', false, '01a21b7e-25cd-7000-b82f-cefabfc3abbd', 1, 2, NULL);
INSERT INTO public.changes_from_0 VALUES (18, 1, '01a21b7e-261c-7000-84c5-0bb4619c71a4', 'access_key', 'created', '01a21b7e-261c-7000-84c5-0bb4619c71a4', '', '', '01a21b7e-261c-7000-84c5-0bb4619c71a4', 1, 0, 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000010', NULL, '2026-11-27 05:33:01.855+00', '{"name":"reader","rights":["read","audit:read"],"environments":null,"service_names":null,"expires_at":null,"enabled":true,"hash":"767c049b9569fa4c9f0367a554bae3a843b9553fd5254b00cbcd5bbc4630d6e7","created_at":"2026-11-27T05:33:01.855Z","updated_at":"2026-11-27T05:33:01.855Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 428, '\x983162618a83fb26a0062e008de8bbb63882968d1423e4065227e44e7e99813e', '\x5a9a9525f0cf75807f72ab3bcc628a1377595d2b70ff67c800ed056be25350c2', false, NULL, NULL, NULL, NULL);


--
-- Data for Name: changes_from_1000000; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: cursors; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: flag_usage; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.flag_usage VALUES ('01a21b7e-232d-7000-8e3b-c453a68729d2', '2026-11-27 05:00:00+00', '', 'SPLIT', 2, '2026-11-27 05:33:02.784976+00');
INSERT INTO public.flag_usage VALUES ('01a21b7e-232d-7000-8e3b-c453a68729d2', '2026-11-27 05:00:00+00', 'b', 'TARGETING_MATCH', 1, '2026-11-27 05:33:02.784976+00');


--
-- Data for Name: flyway_schema_history; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.flyway_schema_history VALUES (1, '1', 'schema', 'SQL', 'V1__schema.sql', 18815460, 'postgres', '2026-11-27 05:32:51.751333', 156, true);


--
-- Data for Name: head; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.head VALUES (true, 1, 18, '\x5a9a9525f0cf75807f72ab3bcc628a1377595d2b70ff67c800ed056be25350c2', '2026-11-27 05:33:01.855+00');


--
-- Data for Name: history; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: idempotency; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: key_usage; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: log_partitions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.log_partitions VALUES (0, 1000000, 'changes_from_0');
INSERT INTO public.log_partitions VALUES (1000000, 2000000, 'changes_from_1000000');


--
-- Data for Name: node_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.node_keys VALUES ('9e9c6fc5-1c39-4a5f-8dca-9d9494b5e924', '{-831037911}', '2026-11-27 05:32:58.763553+00');


--
-- Data for Name: nodes; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: resources; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.resources VALUES ('configuration', '01a21b7e-19a5-7000-a56b-136b46b6f7ef', 'production', '', 'db.url', 1, 1, 0, '{"value":"postgresql://db/app","is_encrypted":false,"description":"where","created_at":"2026-11-27T05:32:58.692Z","updated_at":"2026-11-27T05:32:58.692Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 276, 'db.url
where');
INSERT INTO public.resources VALUES ('configuration', '01a21b7e-1fde-7000-b386-be870c312323', 'production', 'shop', 'db.pool', 3, 4, 0, '{"value":10,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.255Z","updated_at":"2026-11-27T05:33:00.478Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 255, 'db.pool
');
INSERT INTO public.resources VALUES ('configuration', '01a21b7e-20f9-7000-acaa-db58dac28467', 'production', '', 'limits', 1, 5, 0, '{"value":{"a":[1,2.50,"ü",true,null]},"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:00.538Z","updated_at":"2026-11-27T05:33:00.538Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 281, 'limits
');
INSERT INTO public.resources VALUES ('configuration', '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'production', '', 'password', 1, 6, 0, '{"commitment":"2c704fe1f2ab1f6d078c1fbd4d20bb684daef036e309197666c212c0a75fd35a","is_encrypted":true,"description":null,"created_at":"2026-11-27T05:33:00.615Z","updated_at":"2026-11-27T05:33:00.615Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', '\x01ce775e29b42b283449110b1573e5e247006e0e0cc69098f96574823f1f12c989304e6654d540f1421a4d0d84e2def1cdb6d03f3cb63d09d1e0bab6769054f640f429c4a5f779d1f3', 397, 'password
');
INSERT INTO public.resources VALUES ('feature_flag', '01a21b7e-2282-7000-9432-598a4f58f4dc', 'production', '', 'base', 1, 9, 0, '{"description":null,"is_enabled":true,"rollout_percentage":null,"target_users":[],"rules":[],"variants":[],"prerequisites":[],"salt":null,"tags":[],"owner":null,"expires_at":null,"created_at":"2026-11-27T05:33:00.962Z","updated_at":"2026-11-27T05:33:00.962Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 379, 'base

');
INSERT INTO public.resources VALUES ('feature_flag', '01a21b7e-232d-7000-8e3b-c453a68729d2', 'production', '', 'ui', 1, 10, 0, '{"description":null,"is_enabled":true,"rollout_percentage":12.5,"target_users":["ann"],"rules":[{"constraints":[{"attribute":"plan","operator":"eq","values":["gold"]}]}],"variants":[{"name":"a","value":1,"weight":1},{"name":"b","value":2,"weight":3}],"prerequisites":["base"],"salt":null,"tags":["t"],"owner":null,"expires_at":null,"created_at":"2026-11-27T05:33:01.120Z","updated_at":"2026-11-27T05:33:01.120Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 530, 'ui


t');
INSERT INTO public.resources VALUES ('schema', '01a21b7e-2393-7000-bcfb-749628e110af', '', '', 'urls', 1, 11, 0, '{"environment":null,"service_name":null,"key_pattern":"*.url","schema":{"type":"string"},"enforce":"reject","created_at":"2026-11-27T05:33:01.337Z","updated_at":"2026-11-27T05:33:01.337Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 308, 'urls
*.url');
INSERT INTO public.resources VALUES ('template', '01a21b7e-246f-7000-a76f-dabdbc2d5f2d', '', '', 'web', 1, 12, 0, '{"description":null,"parameters":[{"name":"port","description":null,"required":false,"default":80,"is_secret":false}],"configurations":[{"key":"port","value":"${port}"}],"feature_flags":[],"created_at":"2026-11-27T05:33:01.435Z","updated_at":"2026-11-27T05:33:01.435Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 388, 'web

[{"key":"port","value":"${port}"}]
[]');
INSERT INTO public.resources VALUES ('configuration', '01a21b7e-24f5-7000-8739-26d46da13fe9', 'production', 'web', 'port', 1, 13, 0, '{"value":8080,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:01.569Z","updated_at":"2026-11-27T05:33:01.569Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 254, 'port
');
INSERT INTO public.resources VALUES ('template_use', '01a21b7e-24f5-7001-b973-b8ba2dfb4ef9', 'production', 'web', 'web', 1, 14, 0, '{"template_id":"01a21b7e-246f-7000-a76f-dabdbc2d5f2d","template_version":1,"parameters":{"port":8080},"created_at":"2026-11-27T05:33:01.569Z","updated_at":"2026-11-27T05:33:01.569Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 301, '');
INSERT INTO public.resources VALUES ('service', 'shop/one', '', 'shop', 'one', 1, 15, 0, '{"service_url":"http://10.0.0.7:8080","health_check_url":null,"metadata":{"zone":"a"},"weight":100,"permanent":true,"said":"healthy","registered_by":"admin:admin@127.0.0.1","registered_at":"2026-11-27T05:33:01.669Z","status":"healthy","created_at":"2026-11-27T05:33:01.674Z","updated_at":"2026-11-27T05:33:01.674Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 434, '');
INSERT INTO public.resources VALUES ('configuration', '01a21b7e-25ce-7000-8514-e29e1284f36a', 'production', '', 'x', 1, 16, 0, '{"value":1,"is_encrypted":false,"description":null,"created_at":"2026-11-27T05:33:01.775Z","updated_at":"2026-11-27T05:33:01.775Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 248, 'x
');
INSERT INTO public.resources VALUES ('feature_flag', '01a21b7e-25ce-7001-a2ae-06338f4b211b', 'production', '', 'y', 1, 17, 0, '{"description":null,"is_enabled":true,"rollout_percentage":null,"target_users":[],"rules":[],"variants":[],"prerequisites":[],"salt":null,"tags":[],"owner":null,"expires_at":null,"created_at":"2026-11-27T05:33:01.775Z","updated_at":"2026-11-27T05:33:01.775Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 376, 'y

');
INSERT INTO public.resources VALUES ('access_key', '01a21b7e-261c-7000-84c5-0bb4619c71a4', '', '', '01a21b7e-261c-7000-84c5-0bb4619c71a4', 1, 18, 0, '{"name":"reader","rights":["read","audit:read"],"environments":null,"service_names":null,"expires_at":null,"enabled":true,"hash":"767c049b9569fa4c9f0367a554bae3a843b9553fd5254b00cbcd5bbc4630d6e7","created_at":"2026-11-27T05:33:01.855Z","updated_at":"2026-11-27T05:33:01.855Z","created_by":{"type":"admin","id":"admin","name":"admin"},"updated_by":{"type":"admin","id":"admin","name":"admin"}}', NULL, 428, '');


--
-- Data for Name: retention; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.retention VALUES (true, 1000000, 0, '\x0000000000000000000000000000000000000000000000000000000000000000');


--
-- Data for Name: seals; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.seals VALUES (1, 0, '\x3aa31569bd5e45ea9cc089a19829d7e11d4996faa8de6da989cafc8fece384ff', '2026-11-27 05:32:59.495+00', '4da610d8', '\xd3b883362a3368058bad79d8a8bfed42d78136b757624e8e5a43309171ec338d');
INSERT INTO public.seals VALUES (3, 1, '\x5462b5def538977e9984ff6b0c81385c38b8e034e0f42b18024de7168d5b677f', '2026-11-27 05:33:00.495+00', '4da610d8', '\x7bd4671066d63c9b6b4dc2dcb22e7a19a6ccd1b2c9948f81997bda6e6b4233be');
INSERT INTO public.seals VALUES (11, 3, '\x5ab9692707d635a484f78deed14f655cdbd09643302f14bdcb8dbf675f3e54cf', '2026-11-27 05:33:01.498+00', '4da610d8', '\xbb6cfead0aeb2c56553f1815b8447ee50139ca0417920c3852d1c337248fad41');
INSERT INTO public.seals VALUES (18, 11, '\x5a9a9525f0cf75807f72ab3bcc628a1377595d2b70ff67c800ed056be25350c2', '2026-11-27 05:33:02.495+00', '4da610d8', '\x949f4aed778735c71a01423f4437430dff52e80c7d9a74d3e35a14c8258e534c');


--
-- Data for Name: secret_reads; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.secret_reads VALUES ('01a21b7e-21c4-7000-bde3-bcadad9ce19f', '2026-11-27 05:33:00.740972+00', 'admin', 'admin', 'admin', '01a21b7e-120b-7000-83f1-000000000006', '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'production', '', 'password');
INSERT INTO public.secret_reads VALUES ('01a21b7e-2707-7000-a96f-98fbfa4edb2f', '2026-11-27 05:33:02.087265+00', 'admin', 'admin', 'admin', '01a21b7e-121a-7000-b973-000000000000', '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'production', '', 'password');
INSERT INTO public.secret_reads VALUES ('01a21b7e-2724-7000-b066-fe2a12868b6c', '2026-11-27 05:33:02.116762+00', 'admin', 'admin', 'admin', '01a21b7e-121a-7000-b973-000000000001', '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'production', '', 'password');
INSERT INTO public.secret_reads VALUES ('01a21b7e-272f-7000-acc7-2322aa570532', '2026-11-27 05:33:02.127999+00', 'admin', 'admin', 'admin', '01a21b7e-121a-7000-b973-000000000002', '01a21b7e-2138-7000-93ef-533e4fb7ade4', 'production', '', 'password');


--
-- Data for Name: units; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.units VALUES ('configuration/production/shop', 4, 255, 1);
INSERT INTO public.units VALUES ('schema//', 11, 308, 1);
INSERT INTO public.units VALUES ('template//', 12, 388, 1);
INSERT INTO public.units VALUES ('configuration/production/web', 13, 254, 1);
INSERT INTO public.units VALUES ('template_use/production/web', 14, 301, 1);
INSERT INTO public.units VALUES ('service//shop', 15, 434, 1);
INSERT INTO public.units VALUES ('configuration/production/', 16, 1202, 4);
INSERT INTO public.units VALUES ('feature_flag/production/', 17, 1285, 3);
INSERT INTO public.units VALUES ('access_key//', 18, 428, 1);


--
-- Data for Name: written_batches; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.written_batches VALUES ('01a21b7e-21d3-7000-bf01-842ba69c06d6', '2026-11-27 05:33:00.767476+00');
INSERT INTO public.written_batches VALUES ('01a21b7e-29a4-7000-8218-e5366895a8c6', '2026-11-27 05:33:02.75783+00');
INSERT INTO public.written_batches VALUES ('01a21b7e-29c1-7000-a662-582dd814979c', '2026-11-27 05:33:02.79008+00');
INSERT INTO public.written_batches VALUES ('01a21b7e-29c3-7000-a35f-93f353bfe44c', '2026-11-27 05:33:02.797169+00');


--
-- Name: access_denials access_denials_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.access_denials
    ADD CONSTRAINT access_denials_pkey PRIMARY KEY (id);


--
-- Name: changes changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (revision);


--
-- Name: changes_from_0 changes_from_0_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes_from_0
    ADD CONSTRAINT changes_from_0_pkey PRIMARY KEY (revision);


--
-- Name: changes_from_1000000 changes_from_1000000_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.changes_from_1000000
    ADD CONSTRAINT changes_from_1000000_pkey PRIMARY KEY (revision);


--
-- Name: cursors cursors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cursors
    ADD CONSTRAINT cursors_pkey PRIMARY KEY (name);


--
-- Name: flag_usage flag_usage_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.flag_usage
    ADD CONSTRAINT flag_usage_pkey PRIMARY KEY (flag_id, hour, variant, reason);


--
-- Name: flyway_schema_history flyway_schema_history_pk; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.flyway_schema_history
    ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank);


--
-- Name: head head_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (single);


--
-- Name: history history_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (kind, resource_id, version);


--
-- Name: idempotency idempotency_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (caller, key);


--
-- Name: key_usage key_usage_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.key_usage
    ADD CONSTRAINT key_usage_pkey PRIMARY KEY (id);


--
-- Name: log_partitions log_partitions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.log_partitions
    ADD CONSTRAINT log_partitions_pkey PRIMARY KEY (first);


--
-- Name: node_keys node_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.node_keys
    ADD CONSTRAINT node_keys_pkey PRIMARY KEY (node);


--
-- Name: nodes nodes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (id);


--
-- Name: resources resources_path; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.resources
    ADD CONSTRAINT resources_path UNIQUE (kind, environment, service_name, name);


--
-- Name: resources resources_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.resources
    ADD CONSTRAINT resources_pkey PRIMARY KEY (id, kind);


--
-- Name: retention retention_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.retention
    ADD CONSTRAINT retention_pkey PRIMARY KEY (single);


--
-- Name: seals seals_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seals
    ADD CONSTRAINT seals_pkey PRIMARY KEY (revision);


--
-- Name: seals seals_previous_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seals
    ADD CONSTRAINT seals_previous_key UNIQUE (previous);


--
-- Name: secret_reads secret_reads_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.secret_reads
    ADD CONSTRAINT secret_reads_pkey PRIMARY KEY (id);


--
-- Name: units units_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.units
    ADD CONSTRAINT units_pkey PRIMARY KEY (unit);


--
-- Name: written_batches written_batches_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.written_batches
    ADD CONSTRAINT written_batches_pkey PRIMARY KEY (id);


--
-- Name: changes_actor; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_actor ON ONLY public.changes USING btree (actor, revision);


--
-- Name: changes_actor_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_actor_id ON ONLY public.changes USING btree (actor_id, revision);


--
-- Name: changes_deleted; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_deleted ON ONLY public.changes USING btree (kind, name, environment, service_name, revision) WHERE (action = 'deleted'::text);


--
-- Name: changes_environment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_environment ON ONLY public.changes USING btree (environment, revision);


--
-- Name: changes_from_0_actor_id_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_actor_id_revision_idx ON public.changes_from_0 USING btree (actor_id, revision);


--
-- Name: changes_from_0_actor_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_actor_revision_idx ON public.changes_from_0 USING btree (actor, revision);


--
-- Name: changes_from_0_environment_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_environment_revision_idx ON public.changes_from_0 USING btree (environment, revision);


--
-- Name: changes_from_0_kind_name_environment_service_name_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_kind_name_environment_service_name_revision_idx ON public.changes_from_0 USING btree (kind, name, environment, service_name, revision) WHERE (action = 'deleted'::text);


--
-- Name: changes_resource; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_resource ON ONLY public.changes USING btree (kind, resource_id, version);


--
-- Name: changes_from_0_kind_resource_id_version_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_kind_resource_id_version_idx ON public.changes_from_0 USING btree (kind, resource_id, version);


--
-- Name: changes_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_name ON ONLY public.changes USING btree (name, revision);


--
-- Name: changes_from_0_name_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_name_revision_idx ON public.changes_from_0 USING btree (name, revision);


--
-- Name: changes_set; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_set ON ONLY public.changes USING btree (set_id) WHERE (set_id IS NOT NULL);


--
-- Name: changes_from_0_set_id_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_0_set_id_idx ON public.changes_from_0 USING btree (set_id) WHERE (set_id IS NOT NULL);


--
-- Name: changes_from_1000000_actor_id_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_actor_id_revision_idx ON public.changes_from_1000000 USING btree (actor_id, revision);


--
-- Name: changes_from_1000000_actor_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_actor_revision_idx ON public.changes_from_1000000 USING btree (actor, revision);


--
-- Name: changes_from_1000000_environment_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_environment_revision_idx ON public.changes_from_1000000 USING btree (environment, revision);


--
-- Name: changes_from_1000000_kind_name_environment_service_name_rev_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_kind_name_environment_service_name_rev_idx ON public.changes_from_1000000 USING btree (kind, name, environment, service_name, revision) WHERE (action = 'deleted'::text);


--
-- Name: changes_from_1000000_kind_resource_id_version_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_kind_resource_id_version_idx ON public.changes_from_1000000 USING btree (kind, resource_id, version);


--
-- Name: changes_from_1000000_name_revision_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_name_revision_idx ON public.changes_from_1000000 USING btree (name, revision);


--
-- Name: changes_from_1000000_set_id_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX changes_from_1000000_set_id_idx ON public.changes_from_1000000 USING btree (set_id) WHERE (set_id IS NOT NULL);


--
-- Name: flyway_schema_history_s_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX flyway_schema_history_s_idx ON public.flyway_schema_history USING btree (success);


--
-- Name: history_sealed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX history_sealed ON public.history USING btree (revision) WHERE (sealed IS NOT NULL);


--
-- Name: history_set; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX history_set ON public.history USING btree (set_id) WHERE (set_id IS NOT NULL);


--
-- Name: idempotency_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX idempotency_at ON public.idempotency USING btree (at);


--
-- Name: resources_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX resources_name ON public.resources USING btree (kind, name, environment, service_name);


--
-- Name: resources_sealed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX resources_sealed ON public.resources USING btree (kind, name, environment, service_name) WHERE (sealed IS NOT NULL);


--
-- Name: resources_words; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX resources_words ON public.resources USING gin (words public.gin_trgm_ops) WHERE (words <> ''::text);


--
-- Name: changes_from_0_actor_id_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_actor_id ATTACH PARTITION public.changes_from_0_actor_id_revision_idx;


--
-- Name: changes_from_0_actor_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_actor ATTACH PARTITION public.changes_from_0_actor_revision_idx;


--
-- Name: changes_from_0_environment_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_environment ATTACH PARTITION public.changes_from_0_environment_revision_idx;


--
-- Name: changes_from_0_kind_name_environment_service_name_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_deleted ATTACH PARTITION public.changes_from_0_kind_name_environment_service_name_revision_idx;


--
-- Name: changes_from_0_kind_resource_id_version_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_resource ATTACH PARTITION public.changes_from_0_kind_resource_id_version_idx;


--
-- Name: changes_from_0_name_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_name ATTACH PARTITION public.changes_from_0_name_revision_idx;


--
-- Name: changes_from_0_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_pkey ATTACH PARTITION public.changes_from_0_pkey;


--
-- Name: changes_from_0_set_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_set ATTACH PARTITION public.changes_from_0_set_id_idx;


--
-- Name: changes_from_1000000_actor_id_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_actor_id ATTACH PARTITION public.changes_from_1000000_actor_id_revision_idx;


--
-- Name: changes_from_1000000_actor_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_actor ATTACH PARTITION public.changes_from_1000000_actor_revision_idx;


--
-- Name: changes_from_1000000_environment_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_environment ATTACH PARTITION public.changes_from_1000000_environment_revision_idx;


--
-- Name: changes_from_1000000_kind_name_environment_service_name_rev_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_deleted ATTACH PARTITION public.changes_from_1000000_kind_name_environment_service_name_rev_idx;


--
-- Name: changes_from_1000000_kind_resource_id_version_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_resource ATTACH PARTITION public.changes_from_1000000_kind_resource_id_version_idx;


--
-- Name: changes_from_1000000_name_revision_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_name ATTACH PARTITION public.changes_from_1000000_name_revision_idx;


--
-- Name: changes_from_1000000_pkey; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_pkey ATTACH PARTITION public.changes_from_1000000_pkey;


--
-- Name: changes_from_1000000_set_id_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.changes_set ATTACH PARTITION public.changes_from_1000000_set_id_idx;


--
-- PostgreSQL database dump complete
--


