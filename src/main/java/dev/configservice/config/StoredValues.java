package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.postgres.Rows;
import dev.configservice.postgres.Select;
import dev.configservice.schema.Breach;
import dev.configservice.schema.SchemaKind;
import dev.configservice.schema.ValueSchema;
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** The values of all configurations, as a new schema is tried against them: page by page, on a worker thread. */
public final class StoredValues implements SchemaKind.StandingValues {
    private static final int PAGE = 500;
    private static final int SHOWN = 50;
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final String ORDER = "name, environment, service_name";

    private final Resources resources;
    private final InstantSource clock;

    public StoredValues(Resources resources, InstantSource clock) {
        this.resources = resources;
        this.clock = clock;
    }

    @Override
    public Future<SchemaKind.Broken> broken(ValueSchema schema, Predicate<Resource> isReplaced) {
        return new Search(schema, isReplaced, clock.millis() + DEADLINE.toMillis()).from(List.of());
    }

    @Override
    public Future<SchemaKind.Broken> brokenBetween(ValueSchema schema, long after, long before) {
        return written(after, before, new LinkedHashMap<>())
                .compose(last -> Futures.onWorker(() -> {
                    Search search = new Search(schema, ignored -> false, Long.MAX_VALUE);
                    search.judge(new Rows<>(List.copyOf(last.values()), false));
                    return new SchemaKind.Broken(search.count, search.first);
                }));
    }

    /** Returns the last states of the configurations that were written between two revisions and still exist. */
    private Future<Map<String, Resource>> written(long after, long before, Map<String, Resource> last) {
        return resources.changesAfter(after).compose(changes -> {
            long reached = after;
            for (Change change : changes) {
                reached = change.revision();
                Resource r = change.resource();
                if (reached >= before) {
                    break;
                }
                if (r.kind().equals(ConfigurationKind.NAME)) {
                    last.remove(r.id());
                    if (!change.action().isRemoval()) {
                        last.put(r.id(), r);
                    }
                }
            }
            return changes.isEmpty() || reached >= before
                    ? Future.succeededFuture(last)
                    : written(reached, before, last);
        });
    }

    private final class Search {
        private final ValueSchema schema;
        private final Predicate<Resource> isReplaced;
        private final long deadlineMillis;
        private final List<ObjectNode> first = new ArrayList<>();
        private int count;

        Search(ValueSchema schema, Predicate<Resource> isReplaced, long deadlineMillis) {
            this.schema = schema;
            this.isReplaced = isReplaced;
            this.deadlineMillis = deadlineMillis;
        }

        private Future<SchemaKind.Broken> from(List<String> after) {
            if (clock.millis() > deadlineMillis) {
                throw new ServiceException(
                        ErrorCode.SCHEMA_TOO_COSTLY,
                        "It takes too long to check all stored values against this schema: name an environment, a service or"
                                + " a longer beginning of the keys");
            }
            Select select = Resources.select(ConfigurationKind.NAME)
                    .wherePrefix("name", schema.keys().prefix())
                    .where("(row ->> '" + ConfigurationKind.ENCRYPTED + "')::boolean = false");
            if (!schema.environment().isEmpty()) {
                select.where("environment = ?", schema.environment());
            }
            if (!schema.serviceName().isEmpty()) {
                select.where("service_name = ?", schema.serviceName());
            }
            if (!after.isEmpty()) {
                select.where("(name, environment, service_name) > (?, ?, ?)", after.toArray());
            }
            return resources
                    .list(select, ORDER, PAGE)
                    .compose(page -> Futures.onWorker(() -> judge(page)))
                    .compose(page -> {
                        if (!page.more()) {
                            return Future.succeededFuture(new SchemaKind.Broken(count, first));
                        }
                        Resource last = page.items().get(page.items().size() - 1);
                        return from(List.of(last.name(), last.environment(), last.serviceName()));
                    });
        }

        private Rows<Resource> judge(Rows<Resource> page) {
            for (Resource r : page.items()) {
                if (r.isSealed() || isReplaced.test(r) || !schema.isFor(r.environment(), r.serviceName(), r.name())) {
                    continue;
                }
                JsonNode value = r.row().path(ConfigurationKind.VALUE);
                List<Breach> breaches = breaches(value);
                if (!breaches.isEmpty()) {
                    count++;
                    if (first.size() < SHOWN) {
                        first.add(shown(r, breaches));
                    }
                }
            }
            return page;
        }

        /** Returns what a value breaks; one that is too large for the schema could not be written again. */
        private List<Breach> breaches(JsonNode value) {
            try {
                return schema.judge(value);
            } catch (ServiceException e) {
                return List.of(new Breach(schema.name(), "value", "cost", String.valueOf(e.getMessage())));
            }
        }

        private ObjectNode shown(Resource r, List<Breach> breaches) {
            ObjectNode o = Json.object()
                    .put("id", r.id())
                    .put("key", r.name())
                    .put("environment", r.environment())
                    .put("service_name", r.serviceName().isEmpty() ? null : r.serviceName());
            ArrayNode errors = o.putArray("errors");
            breaches.stream()
                    .limit(5)
                    .forEach(b -> errors.addObject()
                            .put("field", b.error().field())
                            .put("message", b.error().message()));
            return o;
        }
    }
}
