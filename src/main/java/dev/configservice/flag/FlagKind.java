package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.flag.eval.FlagDefinition;
import dev.configservice.flag.eval.FlagDefinition.Prerequisite;
import dev.configservice.flag.eval.FlagSet;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.resource.KindDescription;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.resource.Rendering;
import dev.configservice.resource.VersionedKind;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The kind of feature flags: how they change, field by field, and which caller may see which parts. A write is
 * rejected if the flag could not be evaluated, or if its prerequisites would form a cycle.
 */
public final class FlagKind implements VersionedKind {
    /** The name of the kind. */
    static final String NAME = "feature_flag";

    private static final KindDescription DESCRIBED = new KindDescription(
            NAME,
            "/feature-flags",
            "name",
            Right.FLAGS_WRITE,
            "FeatureFlag",
            Trait.PUBLIC,
            Trait.KEEPS_HISTORY,
            Trait.HAS_KEYS);

    /** The fields that only flags have: all except the name, the environment and the fields of every resource. */
    static final List<String> OWN_FIELDS = List.of(
            "description",
            "is_enabled",
            "rollout_percentage",
            "target_users",
            "rules",
            "variants",
            "prerequisites",
            "salt",
            "tags",
            "owner",
            "expires_at");

    private static final StringRule DESCRIPTION = StringRule.text(0, 2000);
    private static final StringRule SHORT = StringRule.text(1, 200);
    private static final int MAX_USERS = 10_000;
    /** The size of all patterns of an environment, in elements as they are compiled. */
    private static final long MAX_PATTERNS = 200_000;
    /** The length of a chain of prerequisites. Evaluations follow it. */
    private static final int MAX_CHAIN = 100;

    private final String defaultEnvironment;
    private final long maxBytes;

    /**
     * Creates the kind.
     *
     * @param defaultEnvironment the environment of a flag that is created without one
     * @param maxBytes the largest size of all flags of an environment
     */
    public FlagKind(String defaultEnvironment, long maxBytes) {
        this.defaultEnvironment = defaultEnvironment;
        this.maxBytes = maxBytes;
    }

    @Override
    public KindDescription description() {
        return DESCRIBED;
    }

    @Override
    public @Nullable Long unitMaxBytes(Action action) {
        return maxBytes;
    }

    /**
     * Fails unless the caller may write flags in the environment. Flags belong to no service, so a caller whose scope
     * is limited to some services may write them, too.
     */
    @Override
    public void requireWrite(Caller caller, String environment, String serviceName) {
        caller.require(Right.FLAGS_WRITE, environment, "");
    }

    @Override
    public ObjectNode documented() {
        return read(FieldReader.write(Json.object()), true);
    }

    @Override
    public Creation create(FieldReader fields, String id) {
        String name = fields.required("name", FlagFormat.NAME);
        String given = fields.text("environment", StringRule.NAME);
        ObjectNode content = read(fields, true);
        fields.ignore("stale_reasons");
        fields.ignore("last_evaluated_at");
        fields.unknown();
        check(fields, name, content);
        return new Creation(given == null ? defaultEnvironment : given, "", name, content, Sealed.NONE);
    }

    @Override
    public Update change(FieldReader fields, Resource current, Caller caller) {
        // lists add these members on demand: they are ignored, so that a caller can send back what a list had
        fields.ignore("stale_reasons");
        fields.ignore("last_evaluated_at");
        ObjectNode changed = read(fields, false);
        fields.unknown();
        ObjectNode after = current.row().fields();
        after.setAll(changed);
        check(fields, current.name(), after);
        return new Update(changed, Sealed.NONE, null);
    }

    /** Fails with all errors of single fields and of their combination. */
    private static void check(FieldReader fields, String name, ObjectNode content) {
        try {
            FlagFormat.check(name, content);
        } catch (ServiceException e) {
            fields.errors().addAll(e.errors());
        }
        if (!fields.errors().isEmpty()) {
            throw ServiceException.invalid(fields.errors());
        }
    }

    /**
     * Reads the fields that are given.
     *
     * @param all whether a field that is not given gets its default, as in a creation
     */
    private static ObjectNode read(FieldReader fields, boolean all) {
        ObjectNode o = Json.object();
        if (!all) {
            fields.refuseNull("is_enabled");
        }
        if (fields.has("description") || all) {
            o.put("description", fields.text("description", DESCRIPTION));
        }
        if (fields.has("is_enabled") || all) {
            o.put("is_enabled", Boolean.TRUE.equals(fields.bool("is_enabled")));
        }
        if (fields.has("rollout_percentage") || all) {
            o.set("rollout_percentage", fields.node("rollout_percentage"));
        }
        if (fields.has("target_users") || all) {
            List<String> users = fields.texts("target_users", FlagFormat.USER, MAX_USERS);
            o.set("target_users", Json.tree(users == null ? List.of() : users));
        }
        for (String field : List.of("rules", "variants", "prerequisites")) {
            if (fields.has(field) || all) {
                o.set(field, FlagFormat.list(fields, field, 200));
            }
        }
        if (fields.has("salt") || all) {
            o.put("salt", fields.text("salt", SHORT));
        }
        if (fields.has("tags") || all) {
            List<String> tags = fields.texts("tags", SHORT, 50);
            o.set("tags", Json.tree(tags == null ? List.of() : tags));
        }
        if (fields.has("owner") || all) {
            o.put("owner", fields.text("owner", SHORT));
        }
        if (fields.has("expires_at") || all) {
            Instant at = fields.time("expires_at");
            o.put("expires_at", at == null ? null : Json.time(at));
        }
        return o;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        ObjectNode after = content.fields().deepCopy();
        after.setAll(fields);
        FlagFormat.check(current.name(), after);
        return new Content(after, sealed);
    }

    /**
     * Returns the flags of the environment if the write adds or changes prerequisites, because no other write can close a cycle; or rules with
     * patterns, whose size is limited for an environment.
     */
    @Override
    public @Nullable UnitId judgedBy(@Nullable Resource before, Resource after, Action action) {
        return isJudgedByOthers(before, after) ? after.unit() : null;
    }

    private static boolean isJudgedByOthers(@Nullable Resource before, Resource after) {
        ObjectNode now = after.row().fields();
        ObjectNode was = before == null ? Json.object() : before.row().fields();
        boolean chains = !now.path("prerequisites").isEmpty()
                && !now.path("prerequisites").equals(was.path("prerequisites"));
        return chains || (!now.path("rules").equals(was.path("rules")) && sizeOfPatterns(after) > 0);
    }

    private static long sizeOfPatterns(Resource flag) {
        return FlagFormat.definition(flag).patternSize();
    }

    @Override
    public List<String> judge(Resource after, SortedResources unit) {
        FlagDefinition changed = FlagFormat.definition(after);
        FlagSet flags = FlagFormat.set(unit);
        long patterns = changed.patternSize();
        if (patterns > 0 && patterns + flags.patternSizeWithout(after.name()) > MAX_PATTERNS) {
            throw ServiceException.invalid(
                    "rules",
                    "make the patterns of the environment too large together (limit: " + MAX_PATTERNS
                            + " copies of elements)");
        }
        List<Prerequisite> prerequisites = changed.prerequisites();
        if (prerequisites.isEmpty()) {
            return List.of();
        }
        if (flags.wouldCycle(after.name(), prerequisites)) {
            throw ServiceException.invalid("prerequisites", "would make the flag its own prerequisite");
        }
        if (flags.longestChain(after.name(), prerequisites, MAX_CHAIN + 1) > MAX_CHAIN) {
            throw ServiceException.invalid("prerequisites", "would make a chain of more than " + MAX_CHAIN + " flags");
        }
        return List.of();
    }

    @Override
    public String words(Resource resource) {
        ObjectNode row = resource.row().fields();
        StringBuilder more = new StringBuilder(row.path("description").asText(""));
        more.append('\n').append(row.path("owner").asText(""));
        row.path("tags").forEach(tag -> more.append('\n').append(tag.asText()));
        return Rendering.words(resource.name(), more.toString());
    }

    @Override
    public ObjectNode data(Resource resource) {
        return withoutActors(resource);
    }

    @Override
    public ObjectNode render(Resource resource, Caller caller) {
        ObjectNode o = withoutActors(resource);
        if (caller.has(Right.AUDIT_READ)) {
            ObjectNode row = resource.row().fields();
            o.set("created_by", row.get("created_by"));
            o.set("updated_by", row.get("updated_by"));
        }
        return o;
    }

    private static ObjectNode withoutActors(Resource resource) {
        ObjectNode row = resource.row().fields();
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("name", resource.name());
        o.put("environment", resource.environment());
        for (String field : OWN_FIELDS) {
            o.set(field, row.get(field));
        }
        o.put("version", resource.version());
        o.put("revision", resource.revision());
        o.set("created_at", row.get("created_at"));
        o.set("updated_at", row.get("updated_at"));
        o.putNull("created_by");
        o.putNull("updated_by");
        return o;
    }

    @Override
    public JsonNode historyValue(Resource version) {
        return version.row().fields().retain(OWN_FIELDS);
    }
}
