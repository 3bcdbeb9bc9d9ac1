package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.resource.KindDescription;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.resource.VersionedKind;
import dev.configservice.schema.Breach;
import dev.configservice.schema.SchemaSet;
import dev.configservice.schema.ValueSchema;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kind of configurations: how they change, and which caller may see which parts. The row of an encrypted
 * configuration holds a commitment instead of the value; the value itself is in {@code sealed}.
 */
public final class ConfigurationKind implements VersionedKind {
    private static final Logger log = LoggerFactory.getLogger(ConfigurationKind.class);

    /** The name of the kind. */
    static final String NAME = "configuration";

    private static final KindDescription DESCRIBED = new KindDescription(
            NAME,
            "/config",
            "key",
            Right.CONFIG_WRITE,
            "Configuration",
            Trait.PUBLIC,
            Trait.KEEPS_HISTORY,
            Trait.BELONGS_TO_SERVICE,
            Trait.HAS_KEYS);

    static final String VALUE = "value";
    static final String ENCRYPTED = "is_encrypted";
    static final String DESCRIPTION = "description";
    static final String COMMITMENT = "commitment";

    private static final Pattern KEY_FORM = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}");

    /** The rule for keys. */
    static final StringRule KEY = text -> {
        if (!KEY_FORM.matcher(text).matches()) {
            return "must be 1 to 255 of A-Z a-z 0-9 . _ : - and start with a letter, a digit or _";
        }
        return Ids.isId(text) ? "may not look like a UUID" : null;
    };

    private static final StringRule DESCRIPTION_RULE = StringRule.text(0, 2000);
    private static final String REVEALED = "earlier versions of this value stay readable in its history";

    /** The field of an answer that is true if this node cannot open the value. */
    static final String UNREADABLE = "unreadable";

    /**
     * The field of an update that is set if the caller may see the value. For others, a value given for an encrypted
     * configuration is always a change: that nothing changed would tell them that they guessed it.
     */
    private static final String MAY_COMPARE = "may_compare";

    private final Keyring keyring;
    private final long maxBytes;
    private final SecretReads secretReads;
    private final SchemaSet schemas;

    /** The audit of reads that showed an encrypted value to a caller. */
    @FunctionalInterface
    public interface SecretReads {
        void note(Resource resource, Actor actor, String requestId);
    }

    /**
     * Creates the kind.
     *
     * @param maxBytes the largest size of a layer
     */
    public ConfigurationKind(Keyring keyring, SecretReads secretReads, SchemaSet schemas, long maxBytes) {
        this.schemas = schemas;
        this.maxBytes = maxBytes;
        this.keyring = keyring;
        this.secretReads = secretReads;
    }

    @Override
    public KindDescription description() {
        return DESCRIBED;
    }

    @Override
    public @Nullable Long unitMaxBytes(Action action) {
        return maxBytes;
    }

    @Override
    public ObjectNode documented() {
        return Json.object().putNull(VALUE).put(ENCRYPTED, false).putNull(DESCRIPTION);
    }

    @Override
    public Creation create(FieldReader fields, String id) {
        String key = fields.required("key", KEY);
        String environment = fields.required("environment", StringRule.NAME);
        String serviceName = fields.text("service_name", StringRule.NAME);
        String description = fields.text("description", DESCRIPTION_RULE);
        boolean encrypted = Boolean.TRUE.equals(fields.bool("is_encrypted"));
        fields.ignore("origin", UNREADABLE);
        JsonNode value = requiredValue(fields);
        fields.done();
        ObjectNode content = Json.object();
        Sealed sealed = Sealed.NONE;
        if (encrypted) {
            Keyring.Parcel parcel = keyring.seal(id, Json.bytes(value));
            sealed = parcel.sealed();
            content.put(COMMITMENT, parcel.commitment());
        } else {
            content.set(VALUE, value);
        }
        content.put(ENCRYPTED, encrypted);
        content.put(DESCRIPTION, description);
        return new Creation(environment, serviceName == null ? "" : serviceName, key, content, sealed);
    }

    /** Reads the value. Returns JSON null if it is missing or invalid; the error is then in {@code fields}. */
    private static JsonNode requiredValue(FieldReader fields) {
        int before = fields.errors().size();
        JsonNode value = fields.value("value");
        if (value == null && fields.errors().size() == before) {
            fields.error("value", fields.has("value") ? "may not be null" : "is required");
        }
        return value == null ? NullNode.getInstance() : value;
    }

    @Override
    public Update change(FieldReader fields, Resource current, Caller caller) {
        ObjectNode changed = Json.object();
        fields.ignore("origin", UNREADABLE);
        fields.refuseNull("value");
        fields.refuseNull("is_encrypted");
        JsonNode value = fields.value("value");
        Boolean encrypted = fields.bool("is_encrypted");
        if (fields.has("description")) {
            changed.put(DESCRIPTION, fields.text("description", DESCRIPTION_RULE));
        }
        fields.done();
        if (encrypted != null && (value != null || encrypted != current.isSealed())) {
            changed.put(ENCRYPTED, encrypted);
        }
        boolean will = encrypted == null ? current.isSealed() : encrypted;
        Sealed sealed = Sealed.NONE;
        if (value != null && will) {
            Keyring.Parcel parcel = keyring.seal(current.id(), Json.bytes(value));
            changed.put(COMMITMENT, parcel.commitment());
            sealed = parcel.sealed();
        } else if (value != null) {
            changed.set(VALUE, value);
        } else if (current.isSealed() && !will) {
            caller.require(Right.SECRETS_READ, current.environment(), current.serviceName());
        }
        if (!isMasked(current, caller)) {
            changed.put(MAY_COMPARE, true);
        }
        return new Update(changed, sealed, will && !current.isSealed() ? REVEALED : null);
    }

    @Override
    public boolean isMasked(Resource resource, Caller caller) {
        return resource.isSealed() && !caller.may(Right.SECRETS_READ, resource.environment(), resource.serviceName());
    }

    @Override
    public void requireRead(Resource resource, Caller caller) {
        Right needed = resource.isSealed() ? Right.SECRETS_READ : Right.READ;
        caller.require(needed, resource.environment(), resource.serviceName());
        if (resource.isSealed()) {
            keyring.requirePresent();
        }
    }

    @Override
    public void noteRead(Resource resource, Caller caller, String requestId) {
        if (resource.isSealed() && !isMasked(resource, caller)) {
            secretReads.note(resource, caller.identity(), requestId);
        }
    }

    @Override
    public ObjectNode render(Resource resource, Caller caller) {
        ObjectNode o = caller.has(Right.AUDIT_READ) ? withActors(resource) : masked(resource);
        if (resource.isSealed() && !isMasked(resource, caller)) {
            show(resource, o);
        }
        return o;
    }

    /** Returns a string in the form in which {@link #words(Resource)} holds it. */
    static String words(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    @Override
    public String words(Resource resource) {
        return words(resource.name() + "\n" + resource.row().path(DESCRIPTION).asText(""));
    }

    /** Renders a configuration with its actors; an encrypted value is null. */
    static ObjectNode withActors(Resource resource) {
        ObjectNode o = masked(resource);
        ObjectNode row = resource.row().fields();
        o.set("created_by", row.get("created_by"));
        o.set("updated_by", row.get("updated_by"));
        return o;
    }

    /**
     * Returns the value of an encrypted configuration, and records that the caller was shown it. Null if the caller may not
     * see it, or if this node cannot open it.
     */
    public @Nullable JsonNode reveal(Resource resource, Caller caller, String requestId) {
        if (isMasked(resource, caller)) {
            return null;
        }
        ObjectNode shown = Json.object();
        show(resource, shown);
        if (shown.has(UNREADABLE)) {
            return null;
        }
        noteRead(resource, caller, requestId);
        return shown.get(VALUE);
    }

    /** Adds the value of an encrypted configuration. One that this node cannot open does not fail the rest. */
    private void show(Resource resource, ObjectNode o) {
        try {
            o.set("value", Json.read(keyring.open(resource.id(), resource.sealed())));
        } catch (ServiceException e) {
            log.warn("secrets.unreadable id={} cause={}", resource.id(), e.getMessage());
            o.put(UNREADABLE, true);
        }
    }

    /** Renders a configuration for callers without further rights: actors and an encrypted value are null. */
    static ObjectNode masked(Resource resource) {
        ObjectNode row = resource.row().fields();
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("key", resource.name());
        o.set("value", row.get(VALUE));
        o.put("environment", resource.environment());
        o.put("service_name", resource.serviceName().isEmpty() ? null : resource.serviceName());
        o.set("is_encrypted", row.get(ENCRYPTED));
        o.set("description", row.get(DESCRIPTION));
        o.put("version", resource.version());
        o.put("revision", resource.revision());
        o.set("created_at", row.get("created_at"));
        o.set("updated_at", row.get("updated_at"));
        o.putNull("created_by");
        o.putNull("updated_by");
        return o;
    }

    @Override
    public @Nullable JsonNode historyValue(Resource version) {
        return version.row().get(VALUE);
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        boolean was = content.fields().get(ENCRYPTED).booleanValue();
        boolean will = fields.has(ENCRYPTED) ? fields.get(ENCRYPTED).booleanValue() : was;
        ObjectNode after = content.fields().deepCopy();
        if (fields.has(DESCRIPTION)) {
            after.set(DESCRIPTION, fields.get(DESCRIPTION));
        }
        after.put(ENCRYPTED, will);
        if (fields.has(VALUE) && will) {
            // another write encrypted it after this one was received
            Keyring.Parcel parcel = keyring.seal(current.id(), Json.bytes(fields.get(VALUE)));
            ObjectNode sealedFields = fields.deepCopy();
            sealedFields.remove(VALUE);
            sealedFields.put(COMMITMENT, parcel.commitment());
            return update(current, content, sealedFields, parcel.sealed());
        }
        if (!sealed.isEmpty() && !will) {
            // the caller expected encryption: never store the value in clear text without being asked to
            throw new ServiceException(ErrorCode.CONFLICT, "It is no longer encrypted; read it again and retry");
        }
        Sealed secret = content.sealed();
        if (fields.has(VALUE)) {
            after.set(VALUE, fields.get(VALUE));
            after.remove(COMMITMENT);
            secret = Sealed.NONE;
        } else if (!sealed.isEmpty()) {
            boolean mayCompare = fields.path(MAY_COMPARE).asBoolean();
            if (was && mayCompare && sameValue(current.id(), secret, sealed)) {
                return new Content(after, secret);
            }
            after.remove(VALUE);
            after.set(COMMITMENT, fields.get(COMMITMENT));
            secret = sealed;
        } else if (will && !was) {
            Keyring.Parcel parcel = keyring.seal(current.id(), Json.bytes(after.get(VALUE)));
            after.remove(VALUE);
            after.put(COMMITMENT, parcel.commitment());
            secret = parcel.sealed();
        } else if (was && !will) {
            JsonNode value = Json.read(keyring.open(current.id(), secret));
            after.set(VALUE, value);
            after.remove(COMMITMENT);
            secret = Sealed.NONE;
        }
        return new Content(after, secret);
    }

    /**
     * Returns the schemas, if the write sets a value, or restores one that is not encrypted. One that is encrypted can only be
     * judged when it is given.
     */
    @Override
    public @Nullable UnitId judgedBy(@Nullable Resource before, Resource after, Action action) {
        if (action.isRemoval() || (action == Action.ROLLED_BACK && after.isSealed())) {
            return null;
        }
        if (before == null) {
            return SchemaSet.UNIT;
        }
        boolean isSame = before.isSealed() == after.isSealed()
                ? before.isSealed()
                        ? before.sealed().equals(after.sealed())
                        : valueOf(before).equals(valueOf(after))
                : clearValue(before).equals(clearValue(after));
        return isSame ? null : SchemaSet.UNIT;
    }

    @Override
    public boolean isLongToJudge(Resource after, SortedResources all) {
        return schemas.isAnyFor(all, after.environment(), after.serviceName(), after.name());
    }

    @Override
    public List<String> judge(Resource after, SortedResources all) {
        List<ValueSchema> judges = schemas.of(all, after.environment(), after.serviceName(), after.name());
        if (judges.isEmpty()) {
            return List.of();
        }
        JsonNode value = clearValue(after);
        List<FieldError> errors = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        for (ValueSchema judge : judges) {
            List<Breach> breaches = judge.judge(value);
            List<FieldError> found = after.isSealed()
                    ? breaches.stream().limit(1).map(Breach::maskedError).toList()
                    : breaches.stream().map(Breach::error).toList();
            if (judge.isEnforced()) {
                errors.addAll(found);
            } else {
                found.forEach(e -> warnings.add(e.field() + ": " + e.message()));
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
        return warnings;
    }

    private static JsonNode valueOf(Resource configuration) {
        return configuration.row().path(VALUE);
    }

    private JsonNode clearValue(Resource configuration) {
        return configuration.isSealed()
                ? Json.read(keyring.open(configuration.id(), configuration.sealed()))
                : valueOf(configuration);
    }

    /** Keeps an encrypted configuration encrypted, even if the earlier version was not. */
    @Override
    public Content rollback(Resource last, Content earlier) {
        if (!last.isSealed() || !earlier.sealed().isEmpty()) {
            return earlier;
        }
        ObjectNode fields = earlier.fields().deepCopy();
        Keyring.Parcel parcel = keyring.seal(last.id(), Json.bytes(fields.get(VALUE)));
        fields.remove(VALUE);
        fields.put(ENCRYPTED, true);
        fields.put(COMMITMENT, parcel.commitment());
        return new Content(fields, parcel.sealed());
    }

    @Override
    public ObjectNode data(Resource resource) {
        ObjectNode row = resource.row().fields();
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("key", resource.name());
        o.put("service_name", resource.serviceName().isEmpty() ? null : resource.serviceName());
        o.put("environment", resource.environment());
        o.put("version", resource.version());
        o.set("is_encrypted", row.get(ENCRYPTED));
        if (!resource.isSealed() && row.has(VALUE)) {
            o.set("value", row.get(VALUE));
        }
        return o;
    }

    @Override
    public ObjectNode audited(Resource resource) {
        ObjectNode o = data(resource);
        o.set(DESCRIPTION, resource.row().get(DESCRIPTION));
        return o;
    }

    /** Tells whether two encrypted configurations have the same value; null if this node cannot open them. */
    @Nullable
    Boolean sameValue(Resource a, Resource b) {
        try {
            return Arrays.equals(keyring.open(a.id(), a.sealed()), keyring.open(b.id(), b.sealed()));
        } catch (ServiceException e) {
            log.warn("secrets.unreadable id={} cause={}", a.id(), e.getMessage());
            return null;
        }
    }

    private boolean sameValue(String id, Sealed a, Sealed b) {
        try {
            return Arrays.equals(keyring.open(id, a), keyring.open(id, b));
        } catch (ServiceException e) {
            // a value that cannot be opened can still be replaced
            log.warn("secrets.unreadable id={} cause={}", id, e.getMessage());
            return false;
        }
    }
}
