package dev.configservice.transfer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.config.FlatDocument;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Resource;
import dev.configservice.resource.VersionedKind;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The route that writes configurations and flags as a document, in an order that does not change, so that it can be kept in
 * Git. Encrypted configurations are named without their values, or with them as they are stored.
 */
public final class ExportRoutes implements Routes {
    /** The member by which a document is known, and the number of its form. */
    static final String MARK = "config_service_export";

    static final int FORM = 1;

    /** The field of an entry with its encrypted value, as it is stored. */
    static final String SEALED = "sealed";

    /** The field of an entry with the id that its encrypted value is bound to. */
    static final String SEALED_ID = "sealed_id";

    private final Stored stored;
    private final PastSnapshots past;

    /** Creates the routes for resources of some kinds. */
    public ExportRoutes(List<? extends VersionedKind> kinds, PastSnapshots past, ChangeFeed feed) {
        this.stored = new Stored(kinds, feed);
        this.past = past;
    }

    @Override
    public List<Route> routes() {
        return List.of(Route.api("GET", "/export", this::export)
                .needs(Right.READ)
                .with(Map.of(
                        "environment",
                        StringRule.NAME,
                        "service_name",
                        StringRule.NAME_OR_NONE,
                        "resource_type",
                        StringRule.oneOf(
                                stored.kinds().keySet().stream().sorted().toList()),
                        "format",
                        StringRule.oneOf(List.of("yaml", "json")),
                        "secrets",
                        StringRule.oneOf(List.of("omit", SEALED)),
                        Route.AT,
                        PastSnapshots.MOMENT))
                .onLog());
    }

    private Future<Response> export(Request request) {
        Stored.Scope scope = new Stored.Scope(
                request.query("environment"), request.query("service_name"), request.query("resource_type"));
        String moment = request.query(Route.AT);
        if (moment != null && scope.environment() == null) {
            throw ServiceException.invalid("environment", "is required with at");
        }
        Caller caller = request.caller();
        boolean isSealed = SEALED.equals(request.query("secrets"));
        if (isSealed && moment != null) {
            throw ServiceException.invalid(
                    Route.AT, "cannot be given with secrets=sealed: nobody gets earlier secrets");
        }
        if (isSealed) {
            caller.require(Right.SECRETS_READ);
        }
        boolean isYaml = !"json".equals(request.query("format"));
        return past.arrived(moment)
                .compose(v -> past.inTurn(reads -> reads.revision(moment)
                        .compose(revision -> stored.in(reads, scope, caller, revision)
                                .compose(found -> Futures.onWorker(() -> {
                                    ObjectNode document = document(scope, caller, revision, found, isSealed);
                                    Response response = isYaml
                                            ? Response.text("application/yaml", FlatDocument.YAML.write(document))
                                            : Response.ready(
                                                    Response.JSON,
                                                    Buffer.buffer((document.toPrettyString() + "\n")
                                                            .getBytes(StandardCharsets.UTF_8)));
                                    return moment == null ? response.asOf(revision, false) : response.at(revision);
                                })))));
    }

    private ObjectNode document(
            Stored.Scope scope, Caller caller, long revision, List<Resource> found, boolean isSealed) {
        ObjectNode document = Json.object().put(MARK, FORM);
        ObjectNode head = document.putObject("scope");
        if (scope.environment() != null) {
            head.putArray("environments").add(scope.environment());
        }
        if (scope.serviceName() != null) {
            head.putArray("service_names").add(scope.serviceName());
        }
        ArrayNode types = head.putArray("resource_types");
        stored.kinds(scope).forEach(kind -> types.add(kind.name()));
        head.put("revision", revision);
        head.put("complete", Stored.covers(caller, scope));
        for (VersionedKind kind : stored.kinds(scope)) {
            ArrayNode entries = document.putArray(kind.name() + "s");
            found.stream().filter(r -> r.kind().equals(kind.name())).forEach(r -> {
                ObjectNode entry = withoutNulls(stored.entry(r, caller));
                entries.add(entry);
                if (isSealed && r.isSealed() && caller.may(Right.SECRETS_READ, r.environment(), r.serviceName())) {
                    entry.put(SEALED, r.sealed().base64()).put(SEALED_ID, r.id());
                }
            });
        }
        return document;
    }

    /** Leaves out fields that are null: as an entry is whole, what it does not have is null anyway. */
    private static ObjectNode withoutNulls(ObjectNode entry) {
        List<String> nulls = entry.properties().stream()
                .filter(field -> field.getValue().isNull())
                .map(Map.Entry::getKey)
                .toList();
        entry.remove(nulls);
        return entry;
    }
}
