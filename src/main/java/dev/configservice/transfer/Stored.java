package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.CodePointOrder;
import dev.configservice.log.Resource;
import dev.configservice.resource.VersionedKind;
import dev.configservice.snapshot.PastSnapshots;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The resources that documents hold: those of some kinds, environments and services. */
final class Stored {
    private static final int MAX = 20_000;

    /** The fields that the service gives to a resource, which documents leave out. */
    private static final List<String> GIVEN =
            List.of("id", "version", "revision", "created_at", "updated_at", "created_by", "updated_by");

    private final Map<String, VersionedKind> kinds = new LinkedHashMap<>();
    private final ChangeFeed feed;

    Stored(List<? extends VersionedKind> kinds, ChangeFeed feed) {
        kinds.forEach(kind -> this.kinds.put(kind.name(), kind));
        this.feed = feed;
    }

    /**
     * A selection of resources.
     *
     * @param environment null for all
     * @param serviceName empty for what all services share; null for all, and what belongs to none
     * @param type the name of a kind; null for all
     */
    record Scope(
            @Nullable String environment,
            @Nullable String serviceName,
            @Nullable String type) {
        /** Tells whether all of another selection is in this one. */
        boolean holds(Scope other) {
            return (environment == null || environment.equals(other.environment))
                    && (serviceName == null || serviceName.equals(other.serviceName))
                    && (type == null || type.equals(other.type));
        }
    }

    Map<String, VersionedKind> kinds() {
        return kinds;
    }

    /** Returns the kinds of a scope. Flags belong to no service, so they are not in the scope of one. */
    List<VersionedKind> kinds(Scope scope) {
        return kinds.values().stream()
                .filter(kind -> scope.type() == null || scope.type().equals(kind.name()))
                .filter(kind -> scope.serviceName() == null || kind.belongsToService())
                .toList();
    }

    /** Tells whether a caller may read all of a scope. */
    static boolean covers(Caller caller, Scope scope) {
        boolean environments = scope.environment() == null
                ? caller.environments().isAll()
                : caller.environments().covers(scope.environment());
        boolean services = scope.serviceName() == null
                ? caller.serviceNames().isAll()
                : scope.serviceName().isEmpty() || caller.serviceNames().covers(scope.serviceName());
        return caller.has(Right.READ) && environments && services;
    }

    /** Returns the resources of a scope that a caller may read, in the order of their paths. */
    Future<List<Resource>> in(PastSnapshots.Reads reads, Scope scope, Caller caller, long revision) {
        List<Scope> layers = new ArrayList<>();
        for (VersionedKind kind : kinds(scope)) {
            environments(scope, kind)
                    .forEach(environment -> layers.add(new Scope(environment, scope.serviceName(), kind.name())));
        }
        return read(reads, layers.iterator(), revision, new ArrayList<>()).map(all -> {
            all.removeIf(r -> !caller.may(Right.READ, r.environment(), r.serviceName()));
            all.sort((a, b) -> CodePointOrder.compare(order(a), order(b)));
            return all;
        });
    }

    private Future<List<Resource>> read(
            PastSnapshots.Reads reads, Iterator<Scope> left, long revision, List<Resource> found) {
        if (found.size() > MAX) {
            return Future.failedFuture(
                    ServiceException.invalid("environment", "or service_name is required: it is too much at once"));
        }
        if (!left.hasNext()) {
            return Future.succeededFuture(found);
        }
        Scope next = left.next();
        return reads.stored(
                        Objects.requireNonNull(next.type()),
                        Objects.requireNonNull(next.environment()),
                        next.serviceName(),
                        revision,
                        MAX + 1)
                .compose(more -> {
                    found.addAll(more);
                    return read(reads, left, revision, found);
                });
    }

    private static List<String> order(Resource r) {
        return List.of(r.kind(), r.environment(), r.serviceName(), r.name());
    }

    private Set<String> environments(Scope scope, VersionedKind kind) {
        Set<String> environments = new TreeSet<>();
        if (scope.environment() != null) {
            environments.add(scope.environment());
            return environments;
        }
        for (ChangeFeed.TouchedUnit touched : feed.touchedUnits()) {
            if (touched.unit().kind().equals(kind.name())) {
                environments.add(touched.unit().environment());
            }
        }
        return environments;
    }

    /** Returns the fields of a kind that documents hold besides the path. */
    List<String> fields(VersionedKind kind) {
        return kind.documented().properties().stream().map(Map.Entry::getKey).toList();
    }

    /** Returns the value of a field that an entry leaves out. */
    JsonNode otherwise(VersionedKind kind, String field) {
        return kind.documented().get(field);
    }

    /** Returns a resource as documents have it. An encrypted one has no value. */
    ObjectNode entry(Resource resource, Caller caller) {
        VersionedKind kind = kinds.get(resource.kind());
        if (kind == null) {
            throw new IllegalStateException("unknown kind: " + resource.kind());
        }
        ObjectNode shown = kind.render(resource, caller.withoutSecrets());
        shown.remove(GIVEN);
        if (resource.isSealed()) {
            shown.remove("value");
        }
        return shown;
    }
}
