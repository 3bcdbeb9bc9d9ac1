package dev.configservice.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
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
import dev.configservice.log.Resource;
import dev.configservice.postgres.Postgres;
import dev.configservice.postgres.Select;
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Turns;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The route that searches resources of all kinds, and services, for a string: in names and descriptions first, and if
 * there is room left, in the values of configurations that are not encrypted.
 */
public final class SearchRoutes implements Routes {
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final String ORDER = "name, key_kind, environment, service_name";
    /** The part of a value that is searched, in characters. */
    private static final int SEARCHED = 64 << 10;

    /** A scan of values takes a connection of the lists for as long as it lasts: half of them are left for other lists. */
    private static final int MAX_SCANS = 2;

    private static final int MAX_WAITING = 32;
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final int EXCERPT = 200;
    private static final int BEFORE_MATCH = 60;
    private static final String SERVICE = "service";
    private static final String DESCRIPTION = "description";
    private static final String VALUE = "value";

    /** The names of services, from the units, which are few. */
    private static final String SERVICES = """
            select distinct split_part(unit, '/', 3) collate "C" as name from units""";

    private final Map<String, VersionedKind> kinds = new LinkedHashMap<>();
    private final Resources resources;
    private final Postgres lists;
    private final Turns scans;

    /**
     * Creates the routes.
     *
     * @param lists the database for lists
     */
    public SearchRoutes(
            Vertx vertx,
            List<? extends VersionedKind> kinds,
            Resources resources,
            Postgres lists,
            MeterRegistry meters) {
        this.scans = new Turns(
                        vertx,
                        MAX_SCANS,
                        MAX_WAITING,
                        PATIENCE,
                        "Too many searches look into values at this moment; retry")
                .measured("searches", meters);
        kinds.stream().filter(k -> !k.isInternal()).forEach(k -> this.kinds.put(k.name(), k));
        this.resources = resources;
        this.lists = lists;
    }

    @Override
    public List<Route> routes() {
        List<String> names = new ArrayList<>(kinds.keySet());
        names.add(SERVICE);
        names.sort(null);
        return List.of(Route.api("GET", "/search", this::search)
                .needs(Right.READ)
                .with(Map.of(
                        "q",
                        StringRule.text(3, 200),
                        "environment",
                        StringRule.NAME,
                        "kind",
                        StringRule.oneOf(names),
                        Page.LIMIT,
                        Page.SIZE))
                .onLog());
    }

    private Future<Response> search(Request request) {
        String q = request.query("q");
        if (q == null) {
            throw ServiceException.invalid("q", "is required");
        }
        String words = q.toLowerCase(Locale.ROOT);
        int limit = (int) request.number(Page.LIMIT, Page.DEFAULT);
        List<ObjectNode> found = new ArrayList<>();
        return services(request, words, limit)
                .compose(services -> byWords(request, words, limit).map(resourcesFound -> {
                    found.addAll(services);
                    resourcesFound.forEach(r -> found.add(item(r, words)));
                    return found;
                }))
                .compose(v -> found.size() >= limit || SERVICE.equals(request.query("kind"))
                        ? Future.succeededFuture(List.<Resource>of())
                        : byValue(request, words, limit - found.size()))
                .map(byValue -> {
                    byValue.forEach(r -> found.add(item(r, words)));
                    ObjectNode body = Json.object();
                    ArrayNode items = body.putArray("items");
                    found.stream().limit(limit).forEach(items::add);
                    return Response.json(200, body);
                });
    }

    private Future<List<ObjectNode>> services(Request request, String words, int limit) {
        String kind = request.query("kind");
        if (kind != null && !kind.equals(SERVICE)) {
            return Future.succeededFuture(List.of());
        }
        Caller caller = request.caller();
        String name = "split_part(unit, '/', 3) collate \"C\"";
        String environment = "split_part(unit, '/', 2) collate \"C\"";
        Select select = new Select(SERVICES)
                .where("resources > 0 and split_part(unit, '/', 1) in ('configuration', 'service')")
                .where("split_part(unit, '/', 3) <> ''")
                .where("position(? in lower(split_part(unit, '/', 3))) > 0", words)
                .whereGiven(environment + " in ('', ?)", request.query("environment"))
                .whereWithin(environment, caller.environments().patterns(), true)
                .whereWithin(name, caller.serviceNames().patterns(), false)
                .end("order by 1 limit ?", limit);
        return lists.read(select.sql(), select.arguments(), DEADLINE).map(rows -> {
            List<ObjectNode> found = new ArrayList<>();
            rows.forEach(row -> {
                String service = row.getString("name");
                ObjectNode item = Json.object()
                        .put("kind", SERVICE)
                        .put("id", service)
                        .putNull("environment")
                        .put("service_name", service)
                        .put("name", service);
                item.set("match", match("name", service, words));
                found.add(item);
            });
            return found;
        });
    }

    private Select select(Request request) {
        Caller caller = request.caller();
        String kind = request.query("kind");
        List<String> wanted =
                kind == null ? List.copyOf(kinds.keySet()) : kinds.containsKey(kind) ? List.of(kind) : List.of();
        return new Select("select " + Resources.KEYS + " from resources")
                .where("kind = any(?)", (Object) wanted.toArray(String[]::new))
                .whereGiven("environment = ?", request.query("environment"))
                .whereWithin("environment", caller.environments().patterns(), true)
                .whereWithin("service_name", caller.serviceNames().patterns(), true);
    }

    private Future<List<Resource>> byWords(Request request, String words, int limit) {
        Select select = select(request).whereContains("words", words);
        return resources.list(select, ORDER, limit).map(found -> found.items());
    }

    private Future<List<Resource>> byValue(Request request, String words, int limit) {
        Select select = select(request)
                .where("sealed is null and words not like ?", "%" + words.replaceAll("[\\\\%_]", "\\\\$0") + "%")
                .where("position(? in lower(left(row ->> '" + VALUE + "', " + SEARCHED + "))) > 0", words);
        return scans.take(() -> resources.list(select, ORDER, limit)).map(found -> found.items());
    }

    private ObjectNode item(Resource r, String words) {
        ObjectNode row = r.row().fields();
        ObjectNode item = Json.object()
                .put("kind", r.kind())
                .put("id", r.id())
                .put("environment", r.environment().isEmpty() ? null : r.environment())
                .put("service_name", r.serviceName().isEmpty() ? null : r.serviceName())
                .put("name", r.name());
        VersionedKind kind = kinds.get(r.kind());
        String nameField = kind == null ? "name" : kind.nameField();
        ObjectNode match = match(nameField, r.name(), words);
        List<String> fields = new ArrayList<>(List.of(DESCRIPTION));
        if (!r.isSealed()) {
            fields.add(VALUE);
        }
        row.fieldNames().forEachRemaining(field -> {
            if (!fields.contains(field) && !field.equals(VALUE)) {
                fields.add(field);
            }
        });
        for (String field : fields) {
            if (match == null) {
                JsonNode value = row.path(field);
                match = match(field, value.isTextual() ? value.textValue() : Json.write(value), words);
            }
        }
        item.set("match", match == null ? match(nameField, r.name(), "") : match);
        return item;
    }

    /** Returns the part of a field with a match; null if there is none. */
    private static @Nullable ObjectNode match(String field, String text, String words) {
        int at = text.toLowerCase(Locale.ROOT).indexOf(words);
        if (at < 0) {
            return null;
        }
        // lower case may be longer than the string itself
        int begin = Math.min(Math.max(0, at - BEFORE_MATCH), text.length());
        int end = Math.min(text.length(), begin + EXCERPT);
        if (begin > 0 && Character.isLowSurrogate(text.charAt(begin))) {
            begin--;
        }
        if (end < text.length() && Character.isHighSurrogate(text.charAt(end - 1))) {
            end--;
        }
        return Json.object().put("field", field).put("excerpt", text.substring(begin, end));
    }
}
