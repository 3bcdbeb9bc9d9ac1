package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class RouteTableTest {
    private static RouteTable<String> table(String... routes) {
        RouteTable<String> table = new RouteTable<>();
        for (String route : routes) {
            String method = route.substring(0, route.indexOf(' '));
            String path = route.substring(route.indexOf(' ') + 1);
            Route made = path.startsWith(Route.API)
                    ? Route.api(method, path.substring(Route.API.length()), r -> Future.failedFuture("not called"))
                    : Route.root(path, r -> Future.failedFuture("not called"));
            table.add(made, route);
        }
        return table;
    }

    private static RouteTable.Found<String> match(String route, Map<String, String> parameters) {
        return new RouteTable.Found.Match<>(route, parameters);
    }

    @Test
    void aFixedSegmentWinsOverAParameterIfItHasARouteForTheMethod() {
        RouteTable<String> table = table(
                "GET /api/v1/config/:id",
                "POST /api/v1/config/bulk",
                "PUT /api/v1/config/:id",
                "GET /api/v1/config/:id/x");

        assertThat(table.find("POST", "/api/v1/config/bulk")).isEqualTo(match("POST /api/v1/config/bulk", Map.of()));
        assertThat(table.find("GET", "/api/v1/config/bulk"))
                .isEqualTo(match("GET /api/v1/config/:id", Map.of("id", "bulk")));
        assertThat(table.find("GET", "/api/v1/config/bulk/x"))
                .isEqualTo(match("GET /api/v1/config/:id/x", Map.of("id", "bulk")));
        assertThat(table.find("DELETE", "/api/v1/config/bulk"))
                .isEqualTo(new RouteTable.Found.OtherMethods<>(new TreeSet<>(List.of("GET", "HEAD", "POST", "PUT"))));
        assertThat(table.find("DELETE", "/api/v1/config/bulk/x"))
                .isEqualTo(new RouteTable.Found.OtherMethods<>(new TreeSet<>(List.of("GET", "HEAD"))));
    }

    @Test
    void aTrailingSlashIsIgnoredAndHeadIsFoundAsGet() {
        RouteTable<String> table = table("GET /api/v1/config", "GET /live");
        for (String path : List.of("/api/v1/config", "/api/v1/config/")) {
            assertThat(table.find("HEAD", path)).isEqualTo(match("GET /api/v1/config", Map.of()));
        }
        assertThat(table.find("GET", "/live/")).isEqualTo(match("GET /live", Map.of()));
        for (String path : List.of(
                "/",
                "",
                "*",
                "/api/v1",
                "/api/v1x/config",
                "/api/v1//config",
                "/api/v1/config//",
                "//live",
                "/live/x")) {
            assertThat(table.find("GET", path)).as(path).isEqualTo(new RouteTable.Found.Nothing<>());
        }
    }

    @Test
    void escapesAreDecodedWithinTheirSegment() {
        RouteTable<String> table = table("GET /api/v1/registry/:service_name/instances");
        assertThat(table.find("GET", "/api/v1/registry/a%2Fb+c%C3%A9/instances"))
                .isEqualTo(match("GET /api/v1/registry/:service_name/instances", Map.of("service_name", "a/b+cé")));
        assertThat(table.find("GET", "/api/v1/%72egistry/a/instances")).isInstanceOf(RouteTable.Found.Match.class);
        for (String path : List.of("/api/v1/registry/%/instances", "/api/v1/registry/%zz/instances")) {
            assertThatThrownBy(() -> table.find("GET", path)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void twoRoutesForOneMethodAndPathAreRefused() {
        assertThatThrownBy(() -> table("GET /api/v1/a/:b", "GET /api/v1/a/:c"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Provide
    Arbitrary<List<String>> templates() {
        return Arbitraries.of("a", "b", ":p", ":q")
                .list()
                .ofMinSize(1)
                .ofMaxSize(3)
                .map(segments -> {
                    List<String> unique = new ArrayList<>();
                    for (int i = 0; i < segments.size(); i++) {
                        unique.add(segments.get(i).startsWith(":") ? ":p" + i : segments.get(i));
                    }
                    return "/" + String.join("/", unique);
                })
                .set()
                .ofMinSize(1)
                .ofMaxSize(8)
                .map(ArrayList::new);
    }

    /**
     * Compares the table with a linear search. Of two matching routes, the one that has a fixed segment where they
     * first differ wins.
     */
    @Property
    void itFindsTheSameRouteAsALinearSearch(
            @ForAll("templates") List<String> templates, @ForAll("paths") List<String> path) {
        RouteTable<String> table = new RouteTable<>();
        templates.forEach(t -> table.add(Route.api("GET", t, r -> Future.failedFuture("not called")), t));

        String best = null;
        for (String template : templates) {
            if (fits(template, path) && (best == null || key(template).compareTo(key(best)) < 0)) {
                best = template;
            }
        }
        String escaped = "/"
                + String.join(
                        "/",
                        path.stream()
                                .map(s -> URLEncoder.encode(s, StandardCharsets.UTF_8)
                                        .replace("+", "%20"))
                                .toList());
        RouteTable.Found<String> found = table.find("GET", Route.API + escaped);
        if (best == null) {
            assertThat(found).isEqualTo(new RouteTable.Found.Nothing<>());
        } else {
            assertThat(((RouteTable.Found.Match<String>) found).value()).isEqualTo(best);
        }
    }

    @Provide
    Arbitrary<List<String>> paths() {
        return Arbitraries.of("a", "b", "c", "%", "a/b", "é")
                .list()
                .ofMinSize(1)
                .ofMaxSize(4);
    }

    private static boolean fits(String template, List<String> path) {
        String[] segments = template.substring(1).split("/", -1);
        if (segments.length != path.size()) {
            return false;
        }
        for (int i = 0; i < segments.length; i++) {
            if (!segments[i].startsWith(":") && !segments[i].equals(path.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Returns a sort key that orders fixed segments before parameters. */
    private static String key(String template) {
        return template.replaceAll("[ab]", "0").replaceAll(":p\\d", "1");
    }
}
