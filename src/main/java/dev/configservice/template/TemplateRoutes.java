package dev.configservice.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.log.UnitId;
import dev.configservice.resource.ChangeSetRoutes;
import dev.configservice.resource.ChangeSets.Operation;
import dev.configservice.resource.PathWrites.Path;
import dev.configservice.resource.Precondition;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.resource.VersionedKind;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.Snapshot;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The routes of templates: those of every versioned kind, and to make a template of what a service has, to apply one as a
 * change set, and to tell whether a service has drifted from it.
 */
public final class TemplateRoutes implements Routes {
    private static final String ENVIRONMENT = "environment";
    private static final String SERVICE_NAME = "service_name";
    private static final int MAX_ENTRY = 1 << 20;
    /** A stored value is nested within its resource, and that within a change set. */
    private static final int MAX_DEPTH = Json.MAX_DEPTH - 4;

    private final TemplateKind kind;
    private final AppliedKind applied;
    private final ResourceRoutes byName;
    private final ChangeSetRoutes sets;
    private final Resources resources;

    public TemplateRoutes(
            TemplateKind kind, AppliedKind applied, ResourceRoutes byName, ChangeSetRoutes sets, Resources resources) {
        this.kind = kind;
        this.applied = applied;
        this.byName = byName;
        this.sets = sets;
        this.resources = resources;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (Route route : byName.routes()) {
            if (route.method().equals("POST") && route.path().equals(kind.path())) {
                routes.add(route.answeredBy(request -> body(request).compose(b -> byName.create(request, b))));
            } else if (route.method().equals("PUT")) {
                routes.add(route.answeredBy(request -> body(request).compose(b -> byName.put(request, b))));
            } else {
                routes.add(route);
            }
        }
        routes.add(Route.api("POST", kind.path() + "/:id/apply", this::apply)
                .with(Map.of("full", StringRule.BOOLEAN))
                .onLog());
        routes.add(Route.api("GET", kind.path() + "/:id/drift", this::drift)
                .needs(Right.READ)
                .with(Map.of(ENVIRONMENT, StringRule.NAME, SERVICE_NAME, StringRule.NAME))
                .onLog());
        return routes;
    }

    // making

    /** Returns the body of a write, with what the service has that it names. */
    private Future<ObjectNode> body(Request request) {
        ObjectNode body = request.object();
        JsonNode from = body.get(TemplateKind.FROM);
        if (from == null || from.isNull()) {
            return Future.succeededFuture(body);
        }
        List<FieldError> errors = new ArrayList<>();
        String environment = "";
        String service = "";
        if (from instanceof ObjectNode object) {
            FieldReader fields = FieldReader.write(object);
            environment = fields.required(ENVIRONMENT, StringRule.NAME);
            service = fields.required(SERVICE_NAME, StringRule.NAME);
            fields.unknown();
            fields.errors().forEach(e -> errors.add(new FieldError(TemplateKind.FROM + "." + e.field(), e.message())));
        } else {
            errors.add(new FieldError(TemplateKind.FROM, "must be an object with environment and service_name"));
        }
        for (String field : List.of(TemplateKind.PARAMETERS, "configurations", "feature_flags")) {
            if (body.has(field)) {
                errors.add(new FieldError(field, "is taken from the service: leave it out"));
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
        request.caller().require(Right.READ, environment, service);
        String place = "service '" + service + "' in environment '" + environment + "'";
        return resources
                .unit(new UnitId(kind.configurations().name(), environment, service), request.minRevision())
                .map(snapshot -> {
                    if (snapshot.resources().isEmpty()) {
                        throw ServiceException.invalid(TemplateKind.FROM, "has no configurations: " + place);
                    }
                    if (snapshot.resources().size() > TemplateKind.MAX_ENTRIES) {
                        throw ServiceException.invalid(
                                TemplateKind.FROM,
                                "has more than " + TemplateKind.MAX_ENTRIES + " configurations: " + place);
                    }
                    body.remove(TemplateKind.FROM);
                    body.setAll(TemplateKind.from(snapshot.resources()));
                    return body;
                });
    }

    // applying

    private Future<Response> apply(Request request) {
        sets.requireWriter(request.caller());
        FieldReader fields = FieldReader.write(request.object());
        String environment = fields.required(ENVIRONMENT, StringRule.NAME);
        String service = fields.required(SERVICE_NAME, StringRule.NAME);
        String comment = fields.text("comment", StringRule.COMMENT);
        boolean isDry = Boolean.TRUE.equals(fields.bool("dry_run"));
        JsonNode given = fields.node(TemplateKind.PARAMETERS);
        if (given != null && !given.isObject()) {
            fields.error(TemplateKind.PARAMETERS, "must be an object");
        }
        fields.done();
        ObjectNode parameters = given instanceof ObjectNode object ? object : Json.object();
        return sets.repeatedOr(request, isDry, () -> apply(request, environment, service, comment, isDry, parameters));
    }

    private Future<Response> apply(
            Request request,
            String environment,
            String service,
            @Nullable String comment,
            boolean isDry,
            ObjectNode parameters) {
        return byName.find(request).compose(found -> {
            Resource template = found.present();
            Filled filled = fill(template.row().fields(), parameters);
            List<Operation> operations = new ArrayList<>();
            List<String> places = new ArrayList<>();
            Map<Path, String> seen = new HashMap<>();
            for (Entry entry : filled.entries()) {
                Path path = entry.path(environment, service);
                String other = seen.putIfAbsent(path, entry.place());
                if (other != null) {
                    throw ServiceException.invalid(
                            entry.place(), "has the same name as " + other + " with these parameters");
                }
                operations.add(new Operation.Put(path, entry.fields(), Precondition.NONE));
                places.add(entry.place());
            }
            ObjectNode note = Json.object()
                    .put(AppliedKind.TEMPLATE_ID, template.id())
                    .put(AppliedKind.TEMPLATE_VERSION, template.version());
            note.set(TemplateKind.PARAMETERS, filled.shown());
            operations.add(new Operation.Put(
                    new Path(applied, environment, service, template.name()), note, Precondition.NONE));
            places.add("template");
            return sets.done(operations, isDry, comment, request)
                    .recover(e -> Future.failedFuture(ChangeSetRoutes.placed(e, places::get)));
        });
    }

    /** An entry with the values of parameters, and its place in the template. */
    private record Entry(VersionedKind kind, String place, ObjectNode fields) {
        String name() {
            return fields.path(kind.nameField()).asText();
        }

        Path path(String environment, String service) {
            return new Path(kind, environment, kind.belongsToService() ? service : "", name());
        }
    }

    /**
     * A template with the values of its parameters.
     *
     * @param shown the values that are no secrets
     */
    private record Filled(List<Entry> entries, ObjectNode shown) {}

    private Filled fill(ObjectNode template, ObjectNode given) {
        Parameters parameters = Parameters.of(template.path(TemplateKind.PARAMETERS));
        List<FieldError> errors = new ArrayList<>();
        Map<String, JsonNode> values = parameters.values(given, errors);
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
        ObjectNode shown = Json.object();
        for (Parameters.Parameter p : parameters.all()) {
            JsonNode value = values.get(p.name());
            if (!p.isSecret() && value != null) {
                shown.set(p.name(), value);
            }
        }
        return new Filled(entries(template, parameters, values), shown);
    }

    /** Returns the entries. Those that refer to a parameter without a value are left out. */
    private List<Entry> entries(ObjectNode template, Parameters parameters, Map<String, JsonNode> values) {
        List<Entry> filled = new ArrayList<>();
        Parameters.Room room = new Parameters.Room(SetMember.MAX_BYTES);
        kind.entries().forEach((field, entryKind) -> {
            JsonNode list = template.path(field);
            for (int i = 0; i < list.size(); i++) {
                ObjectNode entry = (ObjectNode) list.get(i);
                if (!values.keySet().containsAll(parameters.references(entry))) {
                    continue;
                }
                ObjectNode fields = (ObjectNode) parameters.replaced(entry, values, room);
                // names and descriptions are strings, whatever the type of a parameter
                for (String text : List.of(entryKind.nameField(), TemplateKind.DESCRIPTION)) {
                    if (entry.path(text).isTextual()) {
                        fields.put(text, parameters.replaced(entry.path(text).textValue(), values, room));
                    }
                }
                checkSize(fields, field + "[" + i + "]");
                filled.add(new Entry(entryKind, field + "[" + i + "]", fields));
            }
        });
        return filled;
    }

    /** Fails if an entry is larger, or nested deeper, than a body of a single write could be. */
    private static void checkSize(ObjectNode fields, String place) {
        if (depth(fields) > MAX_DEPTH) {
            throw ServiceException.invalid(place, "is nested too deeply with these parameters");
        }
        if (Json.bytes(fields).length > MAX_ENTRY) {
            throw ServiceException.invalid(place, "is larger than " + MAX_ENTRY + " bytes with these parameters");
        }
    }

    private static int depth(JsonNode node) {
        int deepest = 0;
        for (JsonNode child : node) {
            deepest = Math.max(deepest, depth(child));
        }
        return node.isContainerNode() ? deepest + 1 : deepest;
    }

    // comparing

    private Future<Response> drift(Request request) {
        String environment = request.query(ENVIRONMENT);
        String service = request.query(SERVICE_NAME);
        List<FieldError> errors = new ArrayList<>();
        if (environment == null) {
            errors.add(new FieldError(ENVIRONMENT, "is required"));
        }
        if (service == null) {
            errors.add(new FieldError(SERVICE_NAME, "is required"));
        }
        if (environment == null || service == null) {
            throw ServiceException.invalid(errors);
        }
        request.caller().require(Right.READ, environment, service);
        return byName.find(request)
                .compose(found -> resources
                        .at(
                                new UnitId(applied.name(), environment, service),
                                found.path().name(),
                                request.minRevision())
                        .compose(note -> {
                            Resource use = note.resource();
                            if (use == null) {
                                throw ServiceException.notFound(
                                        "The template '" + found.path().name() + "' was not applied to service '"
                                                + service + "' in environment '" + environment + "'");
                            }
                            ObjectNode row = use.row().fields();
                            long version =
                                    row.path(AppliedKind.TEMPLATE_VERSION).asLong();
                            return resources
                                    .version(
                                            kind.name(),
                                            row.path(AppliedKind.TEMPLATE_ID).asText(),
                                            version)
                                    .map(change -> change.orElseThrow(() -> new ServiceException(
                                            ErrorCode.GONE,
                                            "Version " + version + " of the template is no longer kept")))
                                    .compose(change -> compared(
                                            expected(change.resource().row().fields(), row),
                                            environment,
                                            service,
                                            request.minRevision()))
                                    .map(items -> {
                                        ObjectNode body = Json.object().put("template_version", version);
                                        body.put(
                                                "current_version",
                                                currentVersion(
                                                        found.resource(),
                                                        row.path(AppliedKind.TEMPLATE_ID)
                                                                .asText()));
                                        body.set("items", items);
                                        return Response.json(200, body);
                                    });
                        }));
    }

    /** Returns the version of a template; null if it was deleted, or is another one with the same name. */
    private static @Nullable Long currentVersion(@Nullable Resource template, String id) {
        return template != null && template.id().equals(id) ? template.version() : null;
    }

    /** Returns the entries as they were applied. The values of secrets are not known any more. */
    private List<Entry> expected(ObjectNode template, ObjectNode note) {
        Parameters parameters = Parameters.of(template.path(TemplateKind.PARAMETERS));
        Map<String, JsonNode> values = new LinkedHashMap<>();
        note.path(TemplateKind.PARAMETERS).properties().forEach(m -> values.put(m.getKey(), m.getValue()));
        for (Parameters.Parameter p : parameters.all()) {
            if (p.isSecret()) {
                values.put(p.name(), Json.object().textNode(""));
            }
        }
        return entries(template, parameters, values);
    }

    private Future<ArrayNode> compared(List<Entry> entries, String environment, String service, long minRevision) {
        List<UnitId> wanted = entries.stream()
                .map(e -> unit(e, environment, service))
                .distinct()
                .toList();
        List<Future<Snapshot>> reads =
                wanted.stream().map(unit -> resources.unit(unit, minRevision)).toList();
        return Future.all(reads).map(v -> {
            ArrayNode items = Json.object().arrayNode();
            for (Entry entry : entries) {
                Resource there = reads.get(wanted.indexOf(unit(entry, environment, service)))
                        .result()
                        .resources()
                        .byName(entry.name());
                items.addObject()
                        .put("kind", entry.kind().name())
                        .put("name", entry.name())
                        .put("status", status(entry, there, environment, service));
            }
            return items;
        });
    }

    private static UnitId unit(Entry entry, String environment, String service) {
        return new UnitId(entry.kind().name(), environment, entry.kind().belongsToService() ? service : "");
    }

    /** Returns whether a resource is as an entry says. Fields that the entry does not name do not count. */
    private static String status(Entry entry, @Nullable Resource there, String environment, String service) {
        if (there == null) {
            return "missing";
        }
        if (there.isSealed() || entry.fields().path(TemplateKind.ENCRYPTED).asBoolean(false)) {
            return "unknown";
        }
        ObjectNode wanted = entry.kind()
                .create(
                        FieldReader.write(TemplateKind.placed(entry.kind(), entry.fields(), environment, service)),
                        there.id())
                .fields();
        ObjectNode row = there.row().fields();
        for (String field : (Iterable<String>) entry.fields()::fieldNames) {
            if (wanted.has(field) && !wanted.get(field).equals(row.path(field))) {
                return "changed";
            }
        }
        return "same";
    }
}
