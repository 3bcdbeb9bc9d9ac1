-- The last revision of a unit is written once for all of a batch. One by one, each change of a unit made another version of
-- one row within a transaction, and the next one had to go past all of them.

-- Applies commands in order, each as one revision, and says of each what became of it:
--   done      applied: revision and hash
--   replayed  its Idempotency-Key was used before: revision of then
--   reused    the same, with another request
--   taken     the path belongs to another resource: other_id
--   moved     the resource has another version than the command was computed from (or a higher fence)
--   gone      the resource is not there
-- Refuses everything ('CS001') where the log is not the one that the caller knows: another epoch, fewer revisions, or
-- another change at the revision that the caller has applied last.
create or replace function apply_commands(p_epoch bigint, p_revision bigint, p_hash text, p_commands json)
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
        insert into units (unit, revision)
            select x.kind || '/' || x.environment || '/' || x.service_name, max(x.revision)
                from changes x where x.revision > h.revision and x.revision <= rev group by 1
            on conflict (unit) do update set revision = excluded.revision;
        update head set revision = rev, hash = chain;
        perform pg_notify('changes', rev::text);
    end if;
end $$;
