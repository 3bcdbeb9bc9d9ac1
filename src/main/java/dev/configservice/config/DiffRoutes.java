package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.CodePointOrder;
import dev.configservice.log.Resource;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The route that compares what is stored in two environments, or in one at two moments. Encrypted values are compared for
 * those who may see both, and never shown.
 */
public final class DiffRoutes implements Routes {
    private static final int MAX = 20_000;
    private static final String SERVICE_NAME = "service_name";
    private static final String OTHER_SERVICE_NAME = "other_service_name";
    private static final String OTHER_AT = "other_at";

    private final ConfigurationKind kind;
    private final PastSnapshots past;

    public DiffRoutes(ConfigurationKind kind, PastSnapshots past) {
        this.kind = kind;
        this.past = past;
    }

    @Override
    public List<Route> routes() {
        return List.of(Route.api("GET", "/diff", this::diff)
                .needs(Right.READ)
                .with(Page.parameters(Map.of(
                        "environment",
                        StringRule.NAME,
                        "other",
                        StringRule.NAME,
                        SERVICE_NAME,
                        StringRule.NAME_OR_NONE,
                        OTHER_SERVICE_NAME,
                        StringRule.NAME_OR_NONE,
                        Route.AT,
                        PastSnapshots.MOMENT,
                        OTHER_AT,
                        PastSnapshots.MOMENT,
                        "only",
                        StringRule.oneOf(List.of("differences")))))
                .onLog());
    }

    /** One side of the comparison, at a moment or now. The keys of the map begin with the name of the configuration. */
    private record Side(String environment, boolean isNow, long revision, Map<List<String>, Resource> byKey) {}

    private Future<Response> diff(Request request) {
        String environment = request.query("environment");
        if (environment == null) {
            throw ServiceException.invalid("environment", "is required");
        }
        String given = request.query("other");
        String other = given == null ? environment : given;
        String service = request.query(SERVICE_NAME);
        String otherService = request.query(OTHER_SERVICE_NAME);
        if (otherService != null && service == null) {
            throw ServiceException.invalid(SERVICE_NAME, "is required with other_service_name");
        }
        if (given == null
                && otherService == null
                && request.query(Route.AT) == null
                && request.query(OTHER_AT) == null) {
            throw ServiceException.invalid(
                    "other", "or other_service_name or at is required: otherwise both sides are the same");
        }
        Page page = Page.of(request, 2);
        return past.arrived(request.query(Route.AT))
                .compose(v -> past.arrived(request.query(OTHER_AT)))
                .compose(v -> past.inTurn(reads -> side(reads, request, environment, service, Route.AT)
                        .compose(left -> side(
                                        reads, request, other, otherService == null ? service : otherService, OTHER_AT)
                                .compose(right -> Futures.onWorker(() -> page(request, page, left, right))))));
    }

    private Future<Side> side(
            PastSnapshots.Reads reads,
            Request request,
            String environment,
            @Nullable String service,
            String parameter) {
        String moment = request.query(parameter);
        boolean areTwoServices = request.query(OTHER_SERVICE_NAME) != null;
        Caller caller = request.caller();
        return reads.revision(moment)
                .compose(at -> reads.stored(kind.name(), environment, service, at, MAX + 1)
                        .map(all -> {
                            if (all.size() > MAX) {
                                throw ServiceException.invalid(
                                        "service_name",
                                        "is required: an environment holds too much to be compared at once");
                            }
                            Map<List<String>, Resource> byKey = new TreeMap<>(CodePointOrder::compare);
                            for (Resource r : all) {
                                if (caller.may(Right.READ, r.environment(), r.serviceName())) {
                                    byKey.put(List.of(r.name(), areTwoServices ? "" : r.serviceName()), r);
                                }
                            }
                            return new Side(environment, moment == null, at, byKey);
                        }));
    }

    /** A key that is on one side or on both, and whether both are the same. */
    private record Difference(
            List<String> key,
            String status,
            @Nullable Resource left,
            @Nullable Resource right) {}

    private Response page(Request request, Page page, Side left, Side right) {
        boolean onlyDifferences = request.query("only") != null;
        TreeMap<List<String>, Boolean> keys = new TreeMap<>(CodePointOrder::compare);
        left.byKey().keySet().forEach(k -> keys.put(k, true));
        right.byKey().keySet().forEach(k -> keys.put(k, true));
        List<Difference> found = new ArrayList<>();
        for (List<String> key : (page.isFirst() ? keys : keys.tailMap(page.after(), false)).keySet()) {
            Resource l = left.byKey().get(key);
            Resource r = right.byKey().get(key);
            String status = status(l, r, left.isNow() && right.isNow(), request.caller());
            if (!onlyDifferences || !status.equals("same")) {
                found.add(new Difference(key, status, l, r));
            }
            if (found.size() > page.limit()) {
                break;
            }
        }
        Caller reader = request.caller().withoutSecrets();
        return page.response(request, found, d -> json(d, request, reader), Difference::key);
    }

    /** Returns how two resources differ. Values that the caller may not compare are unknown. */
    private String status(@Nullable Resource left, @Nullable Resource right, boolean areBothNow, Caller caller) {
        if (left == null || right == null) {
            return left == null ? "only_right" : "only_left";
        }
        if (left.id().equals(right.id()) && left.version() == right.version()) {
            return "same";
        }
        JsonNode l = left.row().fields();
        JsonNode r = right.row().fields();
        boolean sameRest = l.path(ConfigurationKind.DESCRIPTION).equals(r.path(ConfigurationKind.DESCRIPTION))
                && l.path(ConfigurationKind.ENCRYPTED).equals(r.path(ConfigurationKind.ENCRYPTED));
        if (!left.isSealed() && !right.isSealed()) {
            return sameRest && l.path(ConfigurationKind.VALUE).equals(r.path(ConfigurationKind.VALUE))
                    ? "same"
                    : "changed";
        }
        if (left.isSealed() != right.isSealed() && areBothNow) {
            return "changed";
        }
        boolean mayCompare = areBothNow && !kind.isMasked(left, caller) && !kind.isMasked(right, caller);
        Boolean same = mayCompare ? kind.sameValue(left, right) : null;
        return same == null ? "unknown" : same && sameRest ? "same" : "changed";
    }

    private ObjectNode json(Difference difference, Request request, Caller reader) {
        ObjectNode o = Json.object();
        o.put("key", difference.key().get(0));
        String other = request.query(OTHER_SERVICE_NAME);
        String service = other == null ? difference.key().get(1) : request.query(SERVICE_NAME);
        o.put(SERVICE_NAME, service == null || service.isEmpty() ? null : service);
        if (other != null) {
            o.put(OTHER_SERVICE_NAME, other.isEmpty() ? null : other);
        }
        o.put("status", difference.status());
        o.set("left", difference.left() == null ? null : kind.render(difference.left(), reader));
        o.set("right", difference.right() == null ? null : kind.render(difference.right(), reader));
        return o;
    }
}
