package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.resource.ChangeSetRoutes;
import dev.configservice.resource.ChangeSets.Operation;
import dev.configservice.resource.PathWrites.Path;
import dev.configservice.resource.Precondition;
import dev.configservice.resource.VersionedKind;
import dev.configservice.secret.Keyring;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import dev.configservice.transfer.ImportedDocument.Entry;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
    private static final String CONFIGURATION = "configuration";

    private final Stored stored;
    private final PastSnapshots past;
    private final ChangeSetRoutes sets;
    private final DocumentReader reader;
    private final SealedEntries sealed;

    /** Creates the routes for resources of some kinds. */
    public ImportRoutes(
            List<? extends VersionedKind> kinds,
            PastSnapshots past,
            ChangeFeed feed,
            ChangeSetRoutes sets,
            Resources resources,
            Keyring keyring) {
        this.stored = new Stored(kinds, feed);
        this.past = past;
        this.reader = new DocumentReader(stored.kinds());
        this.sealed = new SealedEntries(resources, keyring);
        this.sets = sets;
    }

    @Override
    public List<Route> routes() {
        return List.of(Route.api("POST", "/import", this::take)
                .with(Map.of(
                        MODE,
                        StringRule.oneOf(List.of("merge", "replace")),
                        DocumentReader.FORMAT,
                        StringRule.oneOf(DocumentReader.FORMATS),
                        DocumentReader.ENVIRONMENT,
                        StringRule.NAME,
                        DocumentReader.SERVICE_NAME,
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

    private Future<Response> take(Request request) {
        Caller caller = request.caller();
        sets.requireWriter(caller);
        boolean isReplacing = "replace".equals(request.query(MODE));
        boolean isDry = Boolean.TRUE.equals(request.flag("dry_run"));
        return sets.repeatedOr(request, isDry, () -> past.inTurn(reads -> take(request, reads, isReplacing)));
    }

    private Future<Response> take(Request request, PastSnapshots.Reads reads, boolean isReplacing) {
        Caller caller = request.caller();
        return Futures.onWorker(() -> reader.read(request))
                .compose(d -> sealed.opened(d, caller))
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
                    return standing(reads, document, isReplacing, caller).compose(standing -> {
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

    private VersionedKind kind(String name) {
        VersionedKind kind = stored.kinds().get(name);
        if (kind == null) {
            throw new IllegalStateException("unknown kind: " + name);
        }
        return kind;
    }

    /** Returns what is stored in the layers of the entries and, if the document replaces what is there, in its scope. */
    private Future<Map<Path, Resource>> standing(
            PastSnapshots.Reads reads, ImportedDocument document, boolean isReplacing, Caller caller) {
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
        return reads.revision(null)
                .compose(revision -> standing(reads, wanted.iterator(), caller, revision, new LinkedHashMap<>()));
    }

    private Future<Map<Path, Resource>> standing(
            PastSnapshots.Reads reads,
            Iterator<Stored.Scope> left,
            Caller caller,
            long revision,
            Map<Path, Resource> standing) {
        if (!left.hasNext()) {
            return Future.succeededFuture(standing);
        }
        return stored.in(reads, left.next(), caller, revision).compose(found -> {
            found.forEach(r -> standing.put(new Path(kind(r.kind()), r.environment(), r.serviceName(), r.name()), r));
            return standing(reads, left, caller, revision, standing);
        });
    }

    /**
     * Returns the operations that make what is stored as a document says.
     *
     * @param places gets the entry of each operation
     */
    private List<Operation> operations(
            ImportedDocument document,
            Map<Path, Resource> standing,
            boolean isReplacing,
            Caller caller,
            List<Entry> places) {
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
