package dev.configservice.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.postgres.Select;
import dev.configservice.resource.KindDescription;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.resource.Rendering;
import dev.configservice.resource.ResourceName;
import dev.configservice.resource.VersionedKind;
import dev.configservice.secret.Sealed;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** The kind of templates. Their entries have the fields of configurations and flags, with references to parameters. */
public final class TemplateKind implements VersionedKind {
    /** The name of the kind. */
    static final String NAME = "template";

    private static final KindDescription DESCRIBED = new KindDescription(
            NAME,
            "/templates",
            "name",
            Right.CONFIG_WRITE,
            "Template",
            Trait.PUBLIC,
            Trait.KEEPS_HISTORY,
            Trait.GLOBAL);

    static final String DESCRIPTION = "description";
    static final String PARAMETERS = "parameters";
    static final String ENCRYPTED = "is_encrypted";
    static final String VALUE = "value";

    private static final List<String> OWN_FIELDS = List.of(DESCRIPTION, PARAMETERS, "configurations", "feature_flags");
    private static final StringRule DESCRIPTION_RULE = StringRule.text(0, 2000);
    /** One place of a change set is for the note of what was applied. */
    static final int MAX_ENTRIES = SetMember.MAX_OPERATIONS - 1;

    private static final int MAX_BYTES = 1 << 20;
    /** The part of a template that is searched, in characters. */
    private static final int MAX_SEARCHED = 64 << 10;

    private static final long UNIT_MAX_BYTES = 64 << 20;

    static final String CONFIGURATIONS = "configurations";
    /** The field of a write that names a service in place of entries. The routes replace it. */
    static final String FROM = "from";

    private static final String FLAGS = "feature_flags";

    /** The kinds of entries, by the field that holds them. */
    private final Map<String, VersionedKind> entries;

    private final VersionedKind configurations;

    /**
     * Creates the kind.
     *
     * @param configurations the kind of configurations
     * @param flags the kind of flags
     */
    public TemplateKind(VersionedKind configurations, VersionedKind flags) {
        Map<String, VersionedKind> all = new java.util.LinkedHashMap<>();
        all.put(CONFIGURATIONS, configurations);
        all.put(FLAGS, flags);
        this.entries = all;
        this.configurations = configurations;
    }

    VersionedKind configurations() {
        return configurations;
    }

    Map<String, VersionedKind> entries() {
        return entries;
    }

    @Override
    public KindDescription description() {
        return DESCRIBED;
    }

    @Override
    public Long unitMaxBytes(Action action) {
        return UNIT_MAX_BYTES;
    }

    @Override
    public Map<String, StringRule> listParameters() {
        return Map.of("environment", StringRule.NAME, "service_name", StringRule.NAME);
    }

    /** Selects the templates that were applied to a service, where the request names one. */
    @Override
    public void filter(Select select, Request request) {
        String environment = request.query("environment");
        String service = request.query("service_name");
        Caller caller = request.caller();
        if (environment != null || service != null) {
            caller.require(Right.READ, environment == null ? "" : environment, service == null ? "" : service);
            Select within = new Select("select u.name from resources u").where("u.kind = ?", AppliedKind.NAME);
            within.whereGiven("u.environment = ?", environment)
                    .whereGiven("u.service_name = ?", service)
                    .whereWithin("u.environment", caller.environments().patterns(), false)
                    .whereWithin("u.service_name", caller.serviceNames().patterns(), false);
            select.whereIn("name", within);
        }
    }

    @Override
    public void requireWrite(Caller caller, String environment, String serviceName) {
        caller.require(writeRight());
    }

    @Override
    public Creation create(FieldReader fields, String id) {
        String name = fields.required("name", ResourceName.RULE);
        ObjectNode content = Json.object();
        content.put(DESCRIPTION, fields.text(DESCRIPTION, DESCRIPTION_RULE));
        content.set(PARAMETERS, Parameters.normalized(fields.node(PARAMETERS), fields.errors()));
        entries.keySet().forEach(field -> content.set(field, list(fields, field)));
        refuseFrom(fields);
        check(fields, content);
        return new Creation("", "", name, content, Sealed.NONE);
    }

    @Override
    public Update change(FieldReader fields, Resource current, Caller caller) {
        ObjectNode changed = Json.object();
        if (fields.has(DESCRIPTION)) {
            changed.put(DESCRIPTION, fields.text(DESCRIPTION, DESCRIPTION_RULE));
        }
        if (fields.has(PARAMETERS)) {
            changed.set(PARAMETERS, Parameters.normalized(fields.node(PARAMETERS), fields.errors()));
        }
        for (String field : entries.keySet()) {
            if (fields.has(field)) {
                changed.set(field, list(fields, field));
            }
        }
        refuseFrom(fields);
        ObjectNode after = current.row().fields().setAll(changed);
        check(fields, after);
        return new Update(changed, Sealed.NONE, null);
    }

    private static void refuseFrom(FieldReader fields) {
        if (fields.node(FROM) != null) {
            fields.error(FROM, "is only taken where a template is written by itself");
        }
        fields.unknown();
    }

    private static JsonNode list(FieldReader fields, String field) {
        JsonNode node = fields.node(field);
        if (node != null && !node.isArray()) {
            fields.error(field, "must be an array");
        }
        return node == null || !node.isArray() ? Json.object().arrayNode() : node;
    }

    /** Fails with all errors of the fields and of the entries. */
    private void check(FieldReader fields, ObjectNode content) {
        List<FieldError> errors = fields.errors();
        if (errors.isEmpty()) {
            int count = 0;
            for (String field : entries.keySet()) {
                count += content.path(field).size();
            }
            if (count > MAX_ENTRIES) {
                errors.add(new FieldError(CONFIGURATIONS, "may be at most " + MAX_ENTRIES + " entries with the flags"));
            } else if (Json.bytes(content).length > MAX_BYTES) {
                errors.add(new FieldError(CONFIGURATIONS, "make the template larger than " + MAX_BYTES + " bytes"));
            } else {
                checkEntries(content, errors);
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
    }

    private void checkEntries(ObjectNode content, List<FieldError> errors) {
        Parameters parameters = Parameters.of(content.path(PARAMETERS));
        for (Map.Entry<String, VersionedKind> e : entries.entrySet()) {
            Map<String, Integer> names = new HashMap<>();
            JsonNode list = content.path(e.getKey());
            for (int i = 0; i < list.size() && errors.size() < 100; i++) {
                String at = e.getKey() + "[" + i + "]";
                if (!(list.get(i) instanceof ObjectNode entry)) {
                    errors.add(new FieldError(at, "must be an object"));
                    continue;
                }
                Integer other =
                        names.putIfAbsent(entry.path(e.getValue().nameField()).asText(""), i);
                if (other != null) {
                    errors.add(new FieldError(at, "has the name of " + e.getKey() + "[" + other + "]"));
                }
                checkSecrets(parameters, entry, at, errors);
                checkEntry(e.getValue(), parameters, entry, at, errors);
            }
        }
    }

    /** A secret may stand only as the whole value of an encrypted configuration, and nothing else may stand there. */
    private static void checkSecrets(Parameters parameters, ObjectNode entry, String at, List<FieldError> errors) {
        boolean isEncrypted = entry.path(ENCRYPTED).asBoolean(false);
        String whole = parameters.wholeReference(entry.path(VALUE));
        Parameters.Parameter parameter = whole == null ? null : parameters.get(whole);
        boolean isSecret = parameter != null && parameter.isSecret();
        if (isEncrypted && !isSecret) {
            errors.add(new FieldError(
                    at + "." + VALUE, "must be nothing but ${name} of a parameter with is_secret, as it is encrypted"));
        }
        entry.properties().forEach(field -> {
            boolean isPlace = isEncrypted && field.getKey().equals(VALUE) && isSecret;
            for (String name : parameters.references(field.getValue())) {
                Parameters.Parameter p = parameters.get(name);
                if (p != null && p.isSecret() && !isPlace) {
                    errors.add(new FieldError(
                            at + "." + field.getKey(),
                            "refers to the secret '" + name
                                    + "', which may only be the whole value of an encrypted configuration"));
                }
            }
        });
    }

    /** Checks an entry as its kind would, as far as that is known without the values of parameters. */
    private static void checkEntry(
            VersionedKind kind, Parameters parameters, ObjectNode entry, String at, List<FieldError> errors) {
        Set<String> known = new HashSet<>();
        kind.documented().fieldNames().forEachRemaining(known::add);
        known.add(kind.nameField());
        List<FieldError> unknown = new ArrayList<>();
        entry.fieldNames().forEachRemaining(field -> {
            if (!known.contains(field)) {
                String shown = Json.textProblem(field) == null && field.length() <= 100 ? "." + field : "";
                unknown.add(new FieldError(
                        at + shown,
                        "is not known (known: "
                                + String.join(", ", known.stream().sorted().toList()) + ")"));
            }
        });
        errors.addAll(unknown);
        if (!entry.path(kind.nameField()).isTextual()) {
            errors.add(new FieldError(at + "." + kind.nameField(), "is required, as a string"));
            return;
        }
        if (unknown.isEmpty() && parameters.references(entry).isEmpty()) {
            try {
                kind.create(FieldReader.write(placed(kind, entry, "any", "any")), "any");
            } catch (ServiceException e) {
                e.errors().forEach(f -> errors.add(new FieldError(at + "." + f.field(), f.message())));
            }
        }
    }

    /** Returns an entry with the members of its path. */
    static ObjectNode placed(VersionedKind kind, ObjectNode entry, String environment, String serviceName) {
        ObjectNode whole = entry.deepCopy().put("environment", environment);
        if (kind.belongsToService()) {
            whole.put("service_name", serviceName);
        }
        return whole;
    }

    @Override
    public ContentRules contentRules() {
        return new ContentRules() {
            @Override
            public void require(Caller caller, ObjectNode content) {
                for (Map.Entry<String, VersionedKind> e : entries.entrySet()) {
                    if (e.getKey().equals(CONFIGURATIONS)
                            || !content.path(e.getKey()).isEmpty()) {
                        requireForAll(caller, e.getValue().writeRight());
                    }
                }
            }

            @Override
            public Future<List<String>> check(
                    String name, ObjectNode content, boolean isForced, Predicate<Resource> isReplaced) {
                return Future.succeededFuture(List.of());
            }
        };
    }

    private static void requireForAll(Caller caller, Right right) {
        caller.require(right);
        if (!caller.environments().isAll() || !caller.serviceNames().isAll()) {
            throw new ServiceException(
                    ErrorCode.FORBIDDEN,
                    "Your right " + right.text() + " is limited, and a template is for all environments and services",
                    List.of(),
                    Map.of("missing_right", right.text()));
        }
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        return new Content(content.fields().deepCopy().setAll(fields), sealed);
    }

    @Override
    public String words(Resource resource) {
        ObjectNode row = resource.row().fields();
        StringBuilder more = new StringBuilder(row.path(DESCRIPTION).asText(""));
        for (String field : entries.keySet()) {
            more.append('\n').append(Json.write(row.path(field)));
        }
        return Rendering.words(resource.name(), more.substring(0, Math.min(more.length(), MAX_SEARCHED)));
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

    /** Returns the content of a template that holds what a service has, with a secret parameter for what is encrypted. */
    static ObjectNode from(List<Resource> configurations) {
        Set<String> secrets = new HashSet<>();
        ObjectNode content = Json.object();
        ArrayNode parameters = content.putArray(PARAMETERS);
        for (Resource r : configurations) {
            if (r.isSealed()) {
                secrets.add(r.name());
                parameters.addObject().put("name", r.name()).put("is_secret", true);
            }
        }
        ArrayNode entries = content.putArray(CONFIGURATIONS);
        for (Resource r : configurations) {
            ObjectNode row = r.row().fields();
            ObjectNode entry = entries.addObject().put("key", r.name());
            if (r.isSealed()) {
                entry.put(VALUE, "${" + r.name() + "}").put(ENCRYPTED, true);
            } else {
                entry.set(VALUE, Parameters.escaped(row.path(VALUE), secrets));
            }
            if (row.path(DESCRIPTION).isTextual()) {
                entry.set(DESCRIPTION, Parameters.escaped(row.path(DESCRIPTION), secrets));
            }
        }
        return content;
    }
}
