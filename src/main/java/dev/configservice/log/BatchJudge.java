package dev.configservice.log;

import dev.configservice.error.ServiceException;
import dev.configservice.log.UnitReader.UnitState;
import dev.configservice.log.WriteQueue.Pending;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The check of a batch by the rules that its kinds have across the resources of a unit, e.g. for prerequisites and schemas. */
final class BatchJudge {
    private final ResourceKinds kinds;
    private final ChangeFeed feed;
    private final UnitReader unitReader;

    BatchJudge(ResourceKinds kinds, ChangeFeed feed, UnitReader unitReader) {
        this.kinds = kinds;
        this.feed = feed;
        this.unitReader = unitReader;
    }

    /** A command and the entry that it becomes. */
    record Decided(Pending pending, LogEntry entry) {}

    /**
     * Checks entries against the resources of a unit, their own or another one, if their kind requires it. Each sees the
     * entries before it as if they were applied; should one of them not be, {@code apply_batch} refuses the later ones of
     * its unit. Those of a set see all of it. Fails the commands that are refused, and returns the remaining entries.
     */
    Future<List<Decided>> permitted(List<Decided> decided, Map<String, Resource> current, long lastWritten) {
        Map<UnitId, UnitState> units = new HashMap<>();
        List<Decided> passed = new ArrayList<>(decided.size());
        Future<Void> judged = Future.succeededFuture();
        for (Decided d : decided) {
            Resource after = d.entry().resource();
            Resource before = current.get(ChangeLog.key(after.kind(), after.id()));
            ResourceKind kind = kinds.get(after.kind());
            UnitId by = kind.judgedBy(before, after, d.entry().action());
            if (by == null) {
                judged = judged.onSuccess(v -> passed.add(d));
                continue;
            }
            judged = judged.compose(v -> unit(units, by, lastWritten)
                    .map(unit -> units.containsKey(by) || d.pending().set == null
                            ? unit
                            : new UnitState(unit.revision(), with(decided, unit, by)))
                    .compose(unit -> judge(kind, d, unit).map(isPermitted -> {
                        UnitState next = isPermitted && d.pending().set == null
                                ? new UnitState(unit.revision(), with(List.of(d), unit, by))
                                : unit;
                        units.put(by, next);
                        if (isPermitted) {
                            passed.add(new Decided(d.pending(), d.entry().judgedBy(by, unit.revision())));
                        }
                        return null;
                    })));
        }
        return judged.map(passed);
    }

    /** Returns a unit with all that this node has written and judged. */
    private Future<UnitState> unit(Map<UnitId, UnitState> known, UnitId unit, long lastWritten) {
        UnitState state = known.get(unit);
        return state != null
                ? Future.succeededFuture(state)
                : Futures.here(feed.awaitApplied(lastWritten, WriterVerticle.APPLIED_DEADLINE)
                        .otherwiseEmpty()
                        .compose(v -> unitReader.read(unit)));
    }

    /** Tells whether a unit permits an entry. If it does not, its command is answered. */
    private Future<Boolean> judge(ResourceKind kind, Decided d, UnitState unit) {
        Resource after = d.entry().resource();
        SortedResources around = unit.resources();
        Future<List<String>> judged = kind.isLongToJudge(after, around)
                ? Futures.onWorker(() -> kind.judge(after, around))
                : Future.succeededFuture(around).map(all -> kind.judge(after, all));
        return judged.transform(done -> {
            if (done.succeeded()) {
                d.pending().warnings = done.result();
            } else if (done.cause() instanceof ServiceException e) {
                d.pending().refuse(e);
            } else {
                d.pending().failed(done.cause());
            }
            return Future.succeededFuture(done.succeeded());
        });
    }

    /** Returns the resources of a unit after those of some entries that are for it. */
    private static SortedResources with(List<Decided> entries, UnitState unit, UnitId id) {
        SortedResources resources = unit.resources();
        for (Decided d : entries) {
            Resource after = d.entry().resource();
            if (after.unit().equals(id)) {
                resources = d.entry().action().isRemoval() ? resources.without(after.name()) : resources.with(after);
            }
        }
        return resources;
    }
}
