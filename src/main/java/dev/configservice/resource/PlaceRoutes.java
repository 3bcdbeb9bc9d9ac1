package dev.configservice.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.postgres.Postgres;
import dev.configservice.postgres.Select;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The routes that tell which environments and services there are, with the number of what is in each. */
public final class PlaceRoutes implements Routes {
    private static final Duration DEADLINE = Duration.ofSeconds(5);

    /** The units, taken apart. Each counts its resources, so no resource is read. */
    private static final String UNITS = """
            with u as (
              select split_part(unit, '/', 1) as kind, split_part(unit, '/', 2) collate "C" as environment,
                     split_part(unit, '/', 3) collate "C" as service_name, resources, revision
              from units where resources > 0)
            select %s as name,
                   coalesce(sum(resources) filter (where kind = 'configuration'), 0)::bigint as configurations,
                   coalesce(sum(resources) filter (where kind = 'feature_flag'), 0)::bigint as feature_flags,
                   coalesce(sum(resources) filter (where kind = 'service'), 0)::bigint as instances,
                   max(revision) as revision
            from u""";

    private final Postgres lists;

    /**
     * Creates the routes.
     *
     * @param lists the database for lists
     */
    public PlaceRoutes(Postgres lists) {
        this.lists = lists;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.api("GET", "/environments", this::environments)
                        .needs(Right.READ)
                        .with(Page.PARAMETERS)
                        .onLog(),
                Route.api("GET", "/services", this::services)
                        .needs(Right.READ)
                        .with(Page.parameters(Map.of("environment", StringRule.NAME)))
                        .onLog());
    }

    private Future<Response> environments(Request request) {
        Caller caller = request.caller();
        Select select = new Select(UNITS.formatted("environment"))
                .where("environment <> '' and kind in ('configuration', 'feature_flag')")
                .whereWithin("environment", caller.environments().patterns(), false)
                .whereWithin("service_name", caller.serviceNames().patterns(), true);
        return page(request, select, "environment");
    }

    private Future<Response> services(Request request) {
        Caller caller = request.caller();
        String environment = request.query("environment");
        Select select = new Select(UNITS.formatted("service_name"))
                .where("service_name <> '' and kind in ('configuration', 'service')")
                .whereGiven("environment = ? or kind = 'service'", environment)
                .whereWithin("environment", caller.environments().patterns(), true)
                .whereWithin("service_name", caller.serviceNames().patterns(), false);
        return page(request, select, "service_name");
    }

    private Future<Response> page(Request request, Select select, String column) {
        Page page = Page.of(request, 1);
        if (!page.isFirst()) {
            select.where(column + " > ?", page.after().get(0));
        }
        select.end("group by 1 order by 1 limit ?", page.limit() + 1);
        return lists.read(select.sql(), select.arguments(), DEADLINE).map(rows -> {
            List<ObjectNode> found = new ArrayList<>();
            rows.forEach(row -> found.add(Json.object()
                    .put("name", row.getString("name"))
                    .put("configurations", row.getLong("configurations"))
                    .put("feature_flags", row.getLong("feature_flags"))
                    .put("instances", row.getLong("instances"))
                    .put("revision", row.getLong("revision"))));
            return page.response(
                    request, found, o -> o, o -> List.of(o.get("name").textValue()));
        });
    }
}
