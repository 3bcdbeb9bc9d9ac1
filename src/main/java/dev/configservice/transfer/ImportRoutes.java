package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
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
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.resource.ChangeSetRoutes;
import dev.configservice.resource.ChangeSets.Operation;
import dev.configservice.resource.PathWrites.Path;
import dev.configservice.resource.Precondition;
import dev.configservice.resource.VersionedKind;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The route that makes what is stored as a document says, as one change set of what differs. A flat file is the layer of a
 * service, or of what all share.
 */
public final class ImportRoutes implements Routes {
    private static final int MAX_BYTES = 32 << 20;
    private static final String MODE = "mode";
    private static final String FORMAT = "format";
    private static final String ENVIRONMENT = "environment";
    private static final String SERVICE_NAME = "service_name";
    private static final List<String> FORMATS = List.of("document", "json", "yaml", "properties", "env");
    private static final String CONFIGURATION = "configuration";

    private final Stored stored;
    private final ChangeSetRoutes sets;
    private final Resources resources;
    private final Keyring keyring;

    /** Creates the routes for resources of some kinds. */
    public ImportRoutes(
            List<? extends VersionedKind> kinds,
            PastSnapshots past,
            ChangeFeed feed,
            ChangeSetRoutes sets,
            Resources resources,
            Keyring keyring) {
        this.resources = resources;
        this.keyring = keyring;
        this.stored = new Stored(kinds, past, feed);
        this.sets = sets;
    }

    @Override
    public List<Route> routes() {
        return List.of(Route.api("POST", "/import", this::take)
                .with(Map.of(
                        MODE,
                        StringRule.oneOf(List.of("merge", "replace")),
                        FORMAT,
                        StringRule.oneOf(FORMATS),
                        ENVIRONMENT,
                        StringRule.NAME,
                        SERVICE_NAME,
                        StringRule.NAME_OR_NONE,
                        "dry_run",
                        StringRule.BOOLEAN,
                        "full",
                        StringRule.BOOLEAN,
                        "comment",
                        StringRule.COMMENT))
                .withBodiesUpTo(MAX_BYTES)
                .withAnyText()
                .onLog());
    }

    /**
     * An entry of a document.
     *
     * @param at its place in the document, for errors
     */
    private record Entry(String at, Path path, ObjectNode fields) {}

    /**
     * A document.
     *
     * @param scopes the resources that it is about, all of which {@code replace} makes as it says
     */
    private record Document(List<Entry> entries, List<Stored.Scope> scopes, boolean isComplete) {}

    private Future<Response> take(Request request) {
        Caller caller = request.caller();
        sets.requireWriter(caller);
        boolean isReplacing = "replace".equals(request.query(MODE));
        boolean isDry = Boolean.TRUE.equals(request.flag("dry_run"));
        return sets.repeatedOr(request, isDry, () -> take(request, isReplacing));
    }

    private Future<Response> take(Request request, boolean isReplacing) {
        Caller caller = request.caller();
        return Futures.onWorker(() -> read(request))
                .compose(d -> opened(d, caller))
                .compose(document -> {
                    if (isReplacing && !document.isComplete()) {
                        throw new ServiceException(
                                ErrorCode.CONFLICT,
                                "The document does not hold all of its scope (complete: false): it cannot say what to delete");
                    }
                    for (Stored.Scope scope : document.scopes()) {
                        if (isReplacing && !Stored.covers(caller, scope)) {
                            throw new ServiceException(
                                    ErrorCode.FORBIDDEN, "The scope of the document is beyond what you may read");
                        }
                    }
                    return standing(document, isReplacing, caller).compose(standing -> {
                        List<Entry> places = new ArrayList<>();
                        List<Operation> operations = operations(document, standing, isReplacing, caller, places);
                        if (operations.size() > SetMember.MAX_OPERATIONS) {
                            throw tooMany(operations);
                        }
                        return sets.done(
                                        operations,
                                        Boolean.TRUE.equals(request.flag("dry_run")),
                                        request.query("comment"),
                                        request)
                                .recover(e -> Future.failedFuture(ChangeSetRoutes.placed(
                                        e, i -> places.get(i).at())));
                    });
                });
    }

    // encrypted values

    /** Returns a document whose encrypted values are opened. Those that are stored in the same form are not given. */
    private Future<Document> opened(Document document, Caller caller) {
        List<Entry> entries = new ArrayList<>();
        List<FieldError> errors = new ArrayList<>();
        Future<Void> opening = Future.succeededFuture();
        for (Entry entry : document.entries()) {
            opening = entry.fields().has(ExportRoutes.SEALED) || entry.fields().has(ExportRoutes.SEALED_ID)
                    ? opening.compose(v -> opened(entry, caller, errors)
                            .onSuccess(entries::add)
                            .mapEmpty())
                    : opening.onSuccess(v -> entries.add(entry));
        }
        return opening.map(v -> {
            if (!errors.isEmpty()) {
                throw ServiceException.invalid(errors);
            }
            return new Document(entries, document.scopes(), document.isComplete());
        });
    }

    private Future<Entry> opened(Entry entry, Caller caller, List<FieldError> errors) {
        String id = entry.fields().path(ExportRoutes.SEALED_ID).asText("");
        String text = entry.fields().path(ExportRoutes.SEALED).asText("");
        Sealed sealed = sealed(text);
        if (!Ids.isId(id) || sealed == null) {
            errors.add(new FieldError(
                    entry.at() + "." + ExportRoutes.SEALED, "must be an exported value, together with its sealed_id"));
            return Future.succeededFuture(entry);
        }
        String kind = entry.path().kind().name();
        return resources
                .path(kind, id.toLowerCase(Locale.ROOT))
                .map(Optional::of)
                .recover(e -> e instanceof ServiceException s && s.code() == ErrorCode.NOT_FOUND
                        ? Future.succeededFuture(Optional.empty())
                        : Future.failedFuture(e))
                .compose(place -> {
                    requireSecrets(caller, place.orElse(null));
                    return resources
                            .unit(entry.path().unit(), 0)
                            .map(snapshot -> opened(
                                    entry,
                                    id,
                                    sealed,
                                    snapshot.resources().byName(entry.path().name()),
                                    errors));
                });
    }

    private Entry opened(Entry entry, String id, Sealed sealed, @Nullable Resource current, List<FieldError> errors) {
        ObjectNode fields = entry.fields().deepCopy();
        fields.remove(List.of(ExportRoutes.SEALED, ExportRoutes.SEALED_ID));
        if (fields.has("value")) {
            errors.add(new FieldError(entry.at() + ".value", "cannot be given together with " + ExportRoutes.SEALED));
        }
        boolean isInClear =
                fields.has("is_encrypted") && !fields.path("is_encrypted").asBoolean(true);
        if (!isInClear) {
            fields.put("is_encrypted", true);
        }
        boolean isThere = !isInClear
                && current != null
                && current.id().equals(id)
                && current.sealed().equals(sealed);
        if (!isThere) {
            try {
                fields.set("value", Json.read(keyring.open(id, sealed)));
            } catch (ServiceException e) {
                errors.add(new FieldError(
                        entry.at() + "." + ExportRoutes.SEALED,
                        "cannot be opened: it was sealed with another keyset, or for another sealed_id"));
            }
        }
        return new Entry(entry.at(), entry.path(), fields);
    }

    private static @Nullable Sealed sealed(String text) {
        try {
            Sealed sealed = Sealed.ofBase64(text);
            return sealed.isEmpty() ? null : sealed;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Fails unless a caller may see the values at a place; everywhere, if it is not known. */
    private static void requireSecrets(Caller caller, Resources.@Nullable Path place) {
        if (place != null) {
            caller.require(
                    Right.SECRETS_READ, place.unit().environment(), place.unit().serviceName());
            return;
        }
        caller.require(Right.SECRETS_READ);
        if (!caller.environments().isAll() || !caller.serviceNames().isAll()) {
            throw new ServiceException(
                    ErrorCode.FORBIDDEN,
                    "Your right secrets:read is limited, and the encrypted values come from elsewhere",
                    List.of(),
                    Map.of("missing_right", Right.SECRETS_READ.text()));
        }
    }

    // reading

    private Document read(Request request) {
        String text = text(request.body().getBytes());
        String format = request.query(FORMAT);
        String type = String.valueOf(request.header("content-type")).toLowerCase(Locale.ROOT);
        boolean isFlatText = "properties".equals(format) || "env".equals(format);
        JsonNode tree = null;
        if (!isFlatText) {
            boolean mayBeJson = text.stripLeading().startsWith("{");
            // curl sends a file as a form unless told otherwise: a document is known by its member
            boolean isYaml = "yaml".equals(format)
                    || (!"json".equals(format) && type.contains("yaml"))
                    || (format == null && !mayBeJson && text.lines().anyMatch(ImportRoutes::marksDocument));
            if (!isYaml && !mayBeJson && !type.contains("json") && format == null) {
                throw ServiceException.invalid(FORMAT, "is required: one of " + String.join(", ", FORMATS));
            }
            // a document may be YAML, too
            tree = isYaml || ("document".equals(format) && !mayBeJson)
                    ? YamlText.read(text)
                    : Json.parseBody(text.getBytes(StandardCharsets.UTF_8));
        }
        if (tree instanceof ObjectNode object && object.has(ExportRoutes.MARK)) {
            if (request.query(SERVICE_NAME) != null) {
                throw ServiceException.invalid(SERVICE_NAME, "is only taken with a flat file");
            }
            return document(object, request.query(ENVIRONMENT));
        }
        if ("document".equals(format)) {
            throw ServiceException.invalid(ExportRoutes.MARK, "is required in a document");
        }
        ObjectNode flat = "properties".equals(format)
                ? FlatFile.ofProperties(text)
                : "env".equals(format)
                        ? FlatFile.ofVariables(text)
                        : FlatFile.ofTree(tree == null ? Json.object() : tree);
        return flat(flat, request);
    }

    private static boolean marksDocument(String line) {
        return line.startsWith(ExportRoutes.MARK + ":");
    }

    private static String text(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw ServiceException.invalid("body", "must be UTF-8");
        }
    }

    private Document flat(ObjectNode flat, Request request) {
        String environment = request.query(ENVIRONMENT);
        if (environment == null) {
            throw ServiceException.invalid(ENVIRONMENT, "is required with a flat file");
        }
        String given = request.query(SERVICE_NAME);
        if (given == null) {
            throw ServiceException.invalid(
                    SERVICE_NAME, "is required with a flat file; empty for what all services share");
        }
        VersionedKind kind = kind(CONFIGURATION);
        List<Entry> entries = new ArrayList<>();
        flat.properties()
                .forEach(member -> entries.add(
                        new Entry(member.getKey(), new Path(kind, environment, given, member.getKey()), (ObjectNode)
                                Json.object().set("value", member.getValue()))));
        return new Document(entries, List.of(new Stored.Scope(environment, given, CONFIGURATION)), true);
    }

    private VersionedKind kind(String name) {
        VersionedKind kind = stored.kinds().get(name);
        if (kind == null) {
            throw new IllegalStateException("unknown kind: " + name);
        }
        return kind;
    }

    private Document document(ObjectNode tree, @Nullable String target) {
        List<FieldError> errors = new ArrayList<>();
        FieldReader fields = FieldReader.read(tree);
        Long form = fields.integer(ExportRoutes.MARK, 1, ExportRoutes.FORM);
        JsonNode scope = fields.node("scope");
        List<Entry> entries = new ArrayList<>();
        for (VersionedKind kind : stored.kinds().values()) {
            String list = kind.name() + "s";
            JsonNode given = fields.node(list);
            if (given != null && !given.isArray()) {
                fields.error(list, "must be an array");
                continue;
            }
            for (int i = 0; given != null && i < given.size(); i++) {
                entry(kind, given.get(i), list + "[" + i + "]", target, entries, errors);
            }
        }
        fields.errors().addAll(errors);
        fields.done();
        if (form == null) {
            throw ServiceException.invalid(ExportRoutes.MARK, "must be " + ExportRoutes.FORM);
        }
        refuseTwice(entries);
        return new Document(
                entries,
                scopes(scope == null ? Json.object() : scope, target),
                scope != null && scope.path("complete").asBoolean());
    }

    private static void entry(
            VersionedKind kind,
            JsonNode node,
            String at,
            @Nullable String target,
            List<Entry> entries,
            List<FieldError> errors) {
        if (!(node instanceof ObjectNode object)) {
            errors.add(new FieldError(at, "must be an object"));
            return;
        }
        FieldReader fields = FieldReader.read(object);
        String environment = target == null ? fields.required(ENVIRONMENT, StringRule.NAME) : target;
        String service = kind.belongsToService() ? fields.text(SERVICE_NAME, StringRule.NAME) : null;
        String name = fields.required(kind.nameField(), StringRule.text(1, 255));
        fields.errors().forEach(e -> errors.add(new FieldError(at + "." + e.field(), e.message())));
        ObjectNode rest = object.deepCopy();
        rest.remove(List.of(ENVIRONMENT, SERVICE_NAME, kind.nameField()));
        entries.add(new Entry(at, new Path(kind, environment, service == null ? "" : service, name), rest));
    }

    private static void refuseTwice(List<Entry> entries) {
        Map<Path, String> known = new HashMap<>();
        List<FieldError> errors = new ArrayList<>();
        for (Entry entry : entries) {
            String other = known.putIfAbsent(entry.path(), entry.at());
            if (other != null) {
                errors.add(new FieldError(entry.at(), "has the same path as " + other));
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
    }

    private static List<Stored.Scope> scopes(JsonNode scope, @Nullable String target) {
        List<@Nullable String> environments = target == null ? texts(scope.path("environments")) : List.of(target);
        List<Stored.Scope> scopes = new ArrayList<>();
        for (String environment : environments) {
            for (String service : texts(scope.path("service_names"))) {
                for (String type : texts(scope.path("resource_types"))) {
                    scopes.add(new Stored.Scope(environment, service, type));
                }
            }
        }
        return scopes;
    }

    /** Returns the texts of an array; one null, which stands for all, if it is not there. */
    private static List<@Nullable String> texts(JsonNode array) {
        List<@Nullable String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        if (texts.isEmpty()) {
            texts.add(null);
        }
        return texts;
    }

    // comparing

    /** Returns what is stored in the layers of the entries and, if the document replaces what is there, in its scope. */
    private Future<Map<Path, Resource>> standing(Document document, boolean isReplacing, Caller caller) {
        Set<Stored.Scope> wanted = new LinkedHashSet<>();
        if (isReplacing) {
            wanted.addAll(document.scopes());
        }
        for (Entry entry : document.entries()) {
            Path path = entry.path();
            Stored.Scope layer = new Stored.Scope(
                    path.environment(),
                    path.kind().belongsToService() ? path.serviceName() : null,
                    path.kind().name());
            if (wanted.stream().noneMatch(scope -> scope.holds(layer))) {
                wanted.add(layer);
            }
        }
        return stored.revision(null)
                .compose(revision -> standing(wanted.iterator(), caller, revision, new LinkedHashMap<>()));
    }

    private Future<Map<Path, Resource>> standing(
            Iterator<Stored.Scope> left, Caller caller, long revision, Map<Path, Resource> standing) {
        if (!left.hasNext()) {
            return Future.succeededFuture(standing);
        }
        return stored.in(left.next(), caller, revision).compose(found -> {
            found.forEach(r -> standing.put(new Path(kind(r.kind()), r.environment(), r.serviceName(), r.name()), r));
            return standing(left, caller, revision, standing);
        });
    }

    /**
     * Returns the operations that make what is stored as a document says.
     *
     * @param places gets the entry of each operation
     */
    private List<Operation> operations(
            Document document, Map<Path, Resource> standing, boolean isReplacing, Caller caller, List<Entry> places) {
        List<Operation> operations = new ArrayList<>();
        List<FieldError> missing = new ArrayList<>();
        Map<Path, Resource> left = new LinkedHashMap<>(standing);
        for (Entry entry : document.entries()) {
            Resource current = left.remove(entry.path());
            ObjectNode whole = whole(entry, current, missing);
            if (current == null || !isSame(current, whole, caller)) {
                operations.add(new Operation.Put(entry.path(), whole, Precondition.NONE));
                places.add(entry);
            }
        }
        if (!missing.isEmpty()) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "The document leaves out encrypted values that are not here: give them",
                    missing,
                    Map.of());
        }
        if (isReplacing) {
            left.forEach((path, resource) -> {
                operations.add(new Operation.Delete(path, Precondition.revision(resource.revision())));
                places.add(new Entry("(not in the document) " + path.name(), path, Json.object()));
            });
        }
        return operations;
    }

    /** Returns an entry with all of its fields: what it leaves out has its default, but what is encrypted stays so. */
    private ObjectNode whole(Entry entry, @Nullable Resource current, List<FieldError> missing) {
        ObjectNode fields = entry.fields().deepCopy();
        boolean isConfiguration = entry.path().kind().name().equals(CONFIGURATION);
        if (isConfiguration
                && !fields.has("value")
                && fields.path("is_encrypted").asBoolean()) {
            if (current == null || !current.isSealed()) {
                missing.add(new FieldError(entry.at() + ".value", "is required: there is no encrypted value here"));
            }
            fields.remove("is_encrypted");
        }
        if (current != null) {
            for (String field : stored.fields(entry.path().kind())) {
                if (!fields.has(field) && !field.equals("value") && !field.equals("is_encrypted")) {
                    fields.set(field, stored.otherwise(entry.path().kind(), field));
                }
            }
            if (isConfiguration && !fields.has("is_encrypted") && !current.isSealed()) {
                fields.put("is_encrypted", false);
            }
        }
        return fields;
    }

    /** Tells whether a resource already has all of some fields. An encrypted value that is given is always another one. */
    private boolean isSame(Resource current, ObjectNode fields, Caller caller) {
        if (current.isSealed() && fields.has("value")) {
            return false;
        }
        ObjectNode shown = stored.entry(current, caller);
        for (var field : fields.properties()) {
            JsonNode is = shown.path(field.getKey());
            boolean areBothNothing = field.getValue().isNull() && (is.isMissingNode() || is.isNull());
            if (!areBothNothing && !is.equals(field.getValue())) {
                return false;
            }
        }
        return true;
    }

    private static ServiceException tooMany(List<Operation> operations) {
        TreeMap<String, Integer> layers = new TreeMap<>();
        for (Operation o : operations) {
            String layer = o.path().environment()
                    + (o.path().serviceName().isEmpty() ? "" : "/" + o.path().serviceName());
            layers.merge(layer, 1, Integer::sum);
        }
        ArrayNode counts = Json.object().arrayNode();
        layers.forEach((layer, count) -> counts.addObject().put("layer", layer).put("changes", count));
        return new ServiceException(
                ErrorCode.TOO_MANY_CHANGES,
                "The document makes " + operations.size() + " changes; one import makes at most "
                        + SetMember.MAX_OPERATIONS + ": import parts of it",
                List.of(),
                Map.of("changes", counts));
    }
}
