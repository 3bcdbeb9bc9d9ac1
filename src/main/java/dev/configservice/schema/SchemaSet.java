package dev.configservice.schema;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import java.util.ArrayList;
import java.util.List;

/** All schemas, each compiled once for as long as it does not change. */
public final class SchemaSet {
    /** The unit of all schemas. */
    public static final UnitId UNIT = new UnitId(SchemaKind.NAME, "", "");

    private static final int MAX_COMPILED = 2000;

    /** The compiled schemas, by the identity of their resources. */
    private final Cache<Resource, ValueSchema> compiled =
            Caffeine.newBuilder().weakKeys().maximumSize(MAX_COMPILED).build();

    /** The properties of a schema that tell what it is for, without its rules. */
    private record Selector(Resource resource, String environment, String serviceName, KeyPattern keys) {
        static Selector of(Resource resource) {
            var row = resource.row().fields();
            return new Selector(
                    resource,
                    row.path(SchemaKind.ENVIRONMENT).asText(""),
                    row.path(SchemaKind.SERVICE_NAME).asText(""),
                    KeyPattern.of(row.path(SchemaKind.KEY_PATTERN).asText()));
        }

        boolean isFor(String environmentOfKey, String serviceOfKey, String key) {
            return (environment.isEmpty() || environment.equals(environmentOfKey))
                    && (serviceName.isEmpty() || serviceName.equals(serviceOfKey))
                    && keys.matches(key);
        }
    }

    /** The selectors of a part of the schemas. */
    private record Selectors(List<Selector> all) {}

    /** Tells whether any schema is for the values of a key. */
    public boolean isAnyFor(SortedResources schemas, String environment, String serviceName, String key) {
        return !resources(schemas, environment, serviceName, key).isEmpty();
    }

    /** Returns the schemas for the values of a key, in the order of their names. */
    public List<ValueSchema> of(SortedResources schemas, String environment, String serviceName, String key) {
        return resources(schemas, environment, serviceName, key).stream()
                .map(r -> compiled.get(
                        r, s -> ValueSchema.compile(s.name(), s.row().fields())))
                .toList();
    }

    private static List<Resource> resources(
            SortedResources schemas, String environment, String serviceName, String key) {
        List<Resource> found = new ArrayList<>();
        for (SortedResources.Part part : schemas.parts()) {
            Selectors selectors = part.view(
                    Selectors.class,
                    all -> new Selectors(all.stream().map(Selector::of).toList()));
            for (Selector s : selectors.all()) {
                if (s.isFor(environment, serviceName, key)) {
                    found.add(s.resource());
                }
            }
        }
        return found;
    }
}
