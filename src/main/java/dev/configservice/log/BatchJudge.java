package dev.configservice.log;

import dev.configservice.error.ServiceException;
import dev.configservice.log.UnitReader.UnitState;
import dev.configservice.log.WriteQueue.Pending;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

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
        IdentityHashMap<Decided, Decided> passed = new IdentityHashMap<>();
        Map<UnitId, List<Decided>> byUnit = new LinkedHashMap<>();
        for (Decided d : decided) {
            Resource after = d.entry().resource();
            Resource before = current.get(ChangeLog.key(after.kind(), after.id()));
            UnitId by =
                    kinds.get(after.kind()).judgedBy(before, after, d.entry().action());
            if (by == null) {
                passed.put(d, d);
            } else {
                byUnit.computeIfAbsent(by, unit -> new ArrayList<>()).add(d);
            }
        }
        // unit by unit, so that only one is in memory besides what the cache keeps
        Future<Void> judged = Future.succeededFuture();
        for (Map.Entry<UnitId, List<Decided>> group : byUnit.entrySet()) {
            UnitId by = group.getKey();
            judged = judged.compose(v -> unit(by, lastWritten))
                    .map(unit -> group.getValue().get(0).pending().set == null
                            ? unit
                            : new UnitState(unit.revision(), with(decided, unit, by)))
                    .compose(unit -> judge(group.getValue().iterator(), unit, by, passed));
        }
        return judged.map(
                v -> decided.stream().map(passed::get).filter(Objects::nonNull).toList());
    }

    private Future<Void> judge(
            Iterator<Decided> left, UnitState unit, UnitId by, IdentityHashMap<Decided, Decided> passed) {
        if (!left.hasNext()) {
            return Future.succeededFuture();
        }
        Decided d = left.next();
        return judge(kinds.get(d.entry().resource().kind()), d, unit).compose(isPermitted -> {
            if (isPermitted) {
                passed.put(d, new Decided(d.pending(), d.entry().judgedBy(by, unit.revision())));
            }
            return judge(
                    left,
                    isPermitted && d.pending().set == null
                            ? new UnitState(unit.revision(), with(List.of(d), unit, by))
                            : unit,
                    by,
                    passed);
        });
    }

    /** Returns a unit with all that this node has written and judged. */
    private Future<UnitState> unit(UnitId unit, long lastWritten) {
        return Futures.here(feed.awaitApplied(lastWritten, WriterVerticle.APPLIED_DEADLINE)
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
