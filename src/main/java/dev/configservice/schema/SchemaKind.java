package dev.configservice.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.resource.KindDescription;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.resource.Rendering;
import dev.configservice.resource.ResourceName;
import dev.configservice.resource.VersionedKind;
import dev.configservice.secret.Sealed;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The kind of schemas: rules for the values of configurations whose keys match a pattern. */
public final class SchemaKind implements VersionedKind {
    /** The name of the kind. */
    static final String NAME = "schema";

    private static final KindDescription DESCRIBED = new KindDescription(
            NAME,
            "/schemas",
            "name",
            Right.CONFIG_WRITE,
            "ValueSchema",
            Trait.PUBLIC,
            Trait.KEEPS_HISTORY,
            Trait.GLOBAL);

    static final String ENVIRONMENT = "environment";
    static final String SERVICE_NAME = "service_name";
    static final String KEY_PATTERN = "key_pattern";
    static final String SCHEMA = "schema";
    static final String ENFORCE = "enforce";
    static final String REJECT = "reject";

    private static final List<String> OWN_FIELDS = List.of(ENVIRONMENT, SERVICE_NAME, KEY_PATTERN, SCHEMA, ENFORCE);
    private static final StringRule ENFORCED = StringRule.oneOf(List.of(REJECT, "warn"));
    /** The largest size of all schemas together, in bytes. Each write of a configuration looks through them. */
    private static final long MAX_BYTES = 4 << 20;

    private final StandingValues standing;

    /** The values that are there already. */
    public interface StandingValues {
        /**
         * Returns which values break a schema. Values that are encrypted are left out.
         *
         * @param isReplaced tells which configurations are left out, too
         */
        Future<Broken> broken(ValueSchema schema, Predicate<Resource> isReplaced);

        /** Returns which values that were written after one revision, and before another, break a schema. */
        Future<Broken> brokenBetween(ValueSchema schema, long after, long before);
    }

    /**
     * Values that break a schema.
     *
     * @param count how many there are
     * @param first the first of them, with what they break
     */
    public record Broken(int count, List<ObjectNode> first) {}

    public SchemaKind(StandingValues standing) {
        this.standing = standing;
    }

    @Override
    public KindDescription description() {
        return DESCRIBED;
    }

    @Override
    public Long unitMaxBytes(Action action) {
        return MAX_BYTES;
    }

    @Override
    public Map<String, StringRule> writeParameters() {
        return Map.of(FORCE, StringRule.BOOLEAN);
    }

    @Override
    public void requireWrite(Caller caller, String environment, String serviceName) {
        caller.require(writeRight());
    }

    @Override
    public Creation create(FieldReader fields, String id) {
        String name = fields.required("name", ResourceName.RULE);
        ObjectNode content = Json.object();
        content.put(ENVIRONMENT, fields.text(ENVIRONMENT, StringRule.NAME));
        content.put(SERVICE_NAME, fields.text(SERVICE_NAME, StringRule.NAME));
        content.put(KEY_PATTERN, fields.required(KEY_PATTERN, KeyPattern.RULE));
        content.set(SCHEMA, schema(fields));
        String enforce = fields.text(ENFORCE, ENFORCED);
        content.put(ENFORCE, enforce == null ? REJECT : enforce);
        fields.done();
        return new Creation("", "", name, content, Sealed.NONE);
    }

    @Override
    public Update change(FieldReader fields, Resource current, Caller caller) {
        ObjectNode changed = Json.object();
        for (String field : List.of(KEY_PATTERN, SCHEMA, ENFORCE)) {
            fields.refuseNull(field);
        }
        for (String field : List.of(ENVIRONMENT, SERVICE_NAME)) {
            if (fields.has(field)) {
                changed.put(field, fields.text(field, StringRule.NAME));
            }
        }
        if (fields.node(KEY_PATTERN) != null) {
            changed.put(KEY_PATTERN, fields.text(KEY_PATTERN, KeyPattern.RULE));
        }
        if (fields.node(SCHEMA) != null) {
            changed.set(SCHEMA, schema(fields));
        }
        if (fields.node(ENFORCE) != null) {
            changed.put(ENFORCE, fields.text(ENFORCE, ENFORCED));
        }
        fields.done();
        return new Update(changed, Sealed.NONE, null);
    }

    private static @Nullable JsonNode schema(FieldReader fields) {
        JsonNode schema = fields.node(SCHEMA);
        if (schema == null) {
            fields.error(SCHEMA, fields.has(SCHEMA) ? "may not be null" : "is required");
            return null;
        }
        SchemaLimits.check(schema, fields.errors());
        return schema;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        return new Content(content.fields().deepCopy().setAll(fields), sealed);
    }

    /** All schemas must be known when one is written, so that a value in the same batch is judged by it. */
    @Override
    public UnitId judgedBy(@Nullable Resource before, Resource after, Action action) {
        return SchemaSet.UNIT;
    }

    @Override
    public boolean isLongToJudge(Resource after, dev.configservice.log.SortedResources unit) {
        return false;
    }

    @Override
    public ContentRules contentRules() {
        return new ContentRules() {
            @Override
            public void require(Caller caller, ObjectNode content) {
                requireReach(
                        caller,
                        writeRight(),
                        content.path(ENVIRONMENT).asText(""),
                        content.path(SERVICE_NAME).asText(""));
            }

            @Override
            public Future<List<String>> check(
                    String name, ObjectNode content, boolean isForced, Predicate<Resource> isReplaced) {
                return Futures.onWorker(() -> ValueSchema.checked(name, content))
                        .compose(schema ->
                                standing.broken(schema, isReplaced).map(broken -> verdict(schema, broken, isForced)));
            }

            @Override
            public Future<@Nullable ServiceException> recheck(
                    String name, ObjectNode content, boolean isForced, long since, long revision) {
                if (isForced || revision == since + 1) {
                    return Future.succeededFuture(null);
                }
                return Futures.onWorker(() -> ValueSchema.compile(name, content))
                        .compose(schema -> schema.isEnforced()
                                ? standing.brokenBetween(schema, since, revision)
                                        .map(broken -> verdict(schema, broken, false))
                                : Future.succeededFuture(List.of()))
                        .transform(done -> done.succeeded()
                                ? Future.succeededFuture(null)
                                : done.cause() instanceof ServiceException e
                                        ? Future.succeededFuture(e)
                                        : Future.failedFuture(done.cause()));
            }
        };
    }

    /** Fails unless a right reaches over an environment and a service; over all where none is named. */
    private static void requireReach(Caller caller, Right right, String environment, String serviceName) {
        caller.require(right, environment, serviceName);
        boolean isWithin = (!environment.isEmpty() || caller.environments().isAll())
                && (!serviceName.isEmpty() || caller.serviceNames().isAll());
        if (!isWithin) {
            throw new ServiceException(
                    ErrorCode.FORBIDDEN,
                    "Your right " + right.text() + " is limited, and what you write is for all"
                            + (environment.isEmpty() && !caller.environments().isAll() ? " environments" : " services"),
                    List.of(),
                    Map.of("missing_right", right.text()));
        }
    }

    private static List<String> verdict(ValueSchema schema, Broken broken, boolean isForced) {
        if (broken.count() == 0) {
            return List.of();
        }
        String text = broken.count() == 1
                ? "1 value that is stored now does not fit this schema"
                : broken.count() + " values that are stored now do not fit this schema";
        if (!schema.isEnforced() || isForced) {
            return List.of(text);
        }
        throw new ServiceException(
                ErrorCode.CONFLICT,
                text + "; mend them first, or write it with ?" + FORCE + "=true",
                List.of(),
                Map.of("breaking", broken.first(), "breaking_count", broken.count()));
    }

    @Override
    public String environment(Resource resource) {
        return resource.row().path(ENVIRONMENT).asText("");
    }

    @Override
    public String serviceName(Resource resource) {
        return resource.row().path(SERVICE_NAME).asText("");
    }

    @Override
    public String words(Resource resource) {
        return Rendering.words(resource.name(), resource.row().path(KEY_PATTERN).asText(""));
    }

    @Override
    public ObjectNode data(Resource resource) {
        return Rendering.withoutActors(resource, OWN_FIELDS);
    }

    @Override
    public ObjectNode render(Resource resource, Caller caller) {
        return Rendering.of(resource, OWN_FIELDS, caller);
    }

    @Override
    public JsonNode historyValue(Resource version) {
        return version.row().fields().retain(OWN_FIELDS);
    }
}
