-- How long the log is kept: partitions of it are dropped, oldest first. Everything up to the anchor is gone; the chain of
-- hashes is verified from there on.
create table retention (
    single          boolean primary key default true check (single),
    partition_size  bigint  not null default 1000000,
    anchor_revision bigint  not null default 0,
    anchor_hash     bytea   not null default decode(repeat('00', 32), 'hex')
);
insert into retention default values;

-- The partitions of the log: which revisions each holds, from first to below upto.
create table log_partitions (
    first bigint primary key,
    upto  bigint not null,
    name  text   not null
);
insert into log_partitions (first, upto, name)
    select n * 1000000, (n + 1) * 1000000, name
    from (select substr(c.relname, 9)::bigint as n, c.relname as name
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = 'changes'::regclass) p;

-- What the log no longer holds of resources whose history can still be asked for.
create table history (like changes including defaults);
alter table history add primary key (kind, resource_id, version);
create index history_sealed on history (revision) where sealed is not null;

-- All that is known of each resource, wherever it stands now. What was copied to the history counts there from the moment
-- that the anchor moves, in the log until then: so nothing is seen twice.
create view resource_changes as
    select h.* from history h where h.revision <= (select anchor_revision from retention)
    union all
    select c.* from changes c where c.revision > (select anchor_revision from retention);

-- Makes the partitions that hold the revisions from p_revision on, and the next ones, where they are missing.
create or replace function ensure_partitions(p_revision bigint) returns void language plpgsql as $$
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

-- Copies what stays of a partition to the history, and moves the anchor over it. From then on nobody reads the partition.
create function leave_partition(p_first bigint, p_upto bigint) returns bigint language plpgsql as $$
declare
    copied bigint;
begin
    insert into history
        select c.* from changes c
        where c.revision >= p_first and c.revision < p_upto and c.kind in ('configuration', 'feature_flag')
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
