package dev.configservice.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.http.Route;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The routes and their description agree in both directions: paths, methods, parameters, bodies and their fields. */
class ApiDescriptionTest {
    private static final Pattern KNOWN = Pattern.compile("\\(known: ([^)]*)\\)");
    private static final Pattern PARAMETER = Pattern.compile("[:*]([a-z_]+)");

    /** The fields that a PUT accepts only so that an answer can be sent back. */
    private static final Set<String> READ_ONLY = Set.of(
            "id",
            "key",
            "name",
            "environment",
            "service_name",
            "version",
            "revision",
            "created_at",
            "updated_at",
            "created_by",
            "updated_by",
            "last_used_at",
            "stale_reasons",
            "last_evaluated_at");

    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final JsonNode description = admin.get("/openapi.json").json();

    private JsonNode resolve(JsonNode n) {
        return n.has("$ref") ? resolve(description.at(n.get("$ref").asText().substring(1))) : n;
    }

    private static String template(Route route) {
        return PARAMETER.matcher(route.template()).replaceAll("{$1}");
    }

    private JsonNode operation(Route route) {
        return description
                .path("paths")
                .path(template(route))
                .path(route.method().toLowerCase(Locale.ROOT));
    }

    @Test
    void everyRouteIsDescribedAndEveryDescriptionIsARoute() {
        Set<String> routes = new TreeSet<>();
        node.routes().forEach(r -> routes.add(r.method() + " " + template(r)));
        Set<String> described = new TreeSet<>();
        description
                .path("paths")
                .properties()
                .forEach(p -> p.getValue().properties().forEach(o -> {
                    if (!o.getKey().equals("parameters")) {
                        described.add(o.getKey().toUpperCase(Locale.ROOT) + " " + p.getKey());
                    }
                }));

        assertThat(routes).isEqualTo(described);
    }

    @Test
    void parametersAgree() {
        for (Route route : node.routes()) {
            Set<String> inPath = new TreeSet<>();
            Set<String> inQuery = new TreeSet<>();
            for (JsonNode list : new JsonNode[] {
                operation(route).path("parameters"),
                description.path("paths").path(template(route)).path("parameters")
            }) {
                list.forEach(p -> {
                    JsonNode parameter = resolve(p);
                    String name = parameter.path("name").asText();
                    switch (parameter.path("in").asText()) {
                        case "path" -> inPath.add(name);
                        case "query" -> inQuery.add(name);
                        default -> {}
                    }
                });
            }
            Set<String> names = new TreeSet<>();
            Matcher m = PARAMETER.matcher(route.template());
            while (m.find()) {
                names.add(m.group(1));
            }
            assertThat(inPath).as(route.name()).isEqualTo(names);
            // the served description leaves out the parameter that stands for any: clients cannot name it
            Set<String> known = new TreeSet<>(route.parameters().keySet());
            known.remove("*");
            assertThat(inQuery).as(route.name()).isEqualTo(known);
        }
    }

    @Test
    void bodiesAndTheirFieldsAgree() {
        String configuration = admin.post(
                        "/config", "{\"key\":\"described\",\"value\":1,\"environment\":\"described\"}")
                .field("id");
        String flag = admin.post("/feature-flags", "{\"name\":\"described\",\"environment\":\"described\"}")
                .field("id");
        String key = admin.post("/access/keys", "{\"name\":\"described\",\"rights\":[\"read\"]}")
                .field("id");
        Map<String, String> ids = Map.of("/config", configuration, "/feature-flags", flag, "/access", key);
        Map<String, Set<String>> differences = new TreeMap<>();
        for (Route route : node.routes()) {
            if (!route.base().equals(Route.API) && !route.base().isEmpty()) {
                // facades ignore what they do not know
                continue;
            }
            JsonNode body = resolve(operation(route).path("requestBody"));
            assertThat(!body.isMissingNode()).as("body of %s", route.name()).isEqualTo(route.takesBody());
            // a route that takes any text reads files, whose members are not its own
            if (route.takesBody() && !route.dialect().accepts("text/plain")) {
                Set<String> described = new TreeSet<>();
                resolve(body.at("/content/application~1json/schema"))
                        .path("properties")
                        .fieldNames()
                        .forEachRemaining(described::add);
                Set<String> known = known(route, ids);
                known.removeIf(field -> isPut(route) && READ_ONLY.contains(field) && !described.contains(field));
                if (!described.equals(known)) {
                    differences.put(route.name() + " describes", described);
                    differences.put(route.name() + " knows", known);
                }
            }
        }
        assertThat(differences).isEmpty();
    }

    private static boolean isPut(Route route) {
        return route.method().equals("PUT") && route.path().endsWith(":id");
    }

    /** Returns the fields that a route knows, as it says itself when it is sent another one. */
    private Set<String> known(Route route, Map<String, String> ids) {
        String path = route.template();
        for (Map.Entry<String, String> id : ids.entrySet()) {
            if (route.path().startsWith(id.getKey())) {
                path = path.replace(":id", id.getValue());
            }
        }
        Reply reply = admin.send(route.method(), path, "{\"no_such_field\":1}");
        assertThat(reply.status()).as("%s: %s", route.name(), reply.text()).isEqualTo(400);
        Set<String> known = new TreeSet<>();
        for (JsonNode error : reply.json().path("errors")) {
            Matcher m = KNOWN.matcher(error.path("message").asText());
            if (error.path("field").asText().equals("no_such_field") && m.find()) {
                known.addAll(Arrays.asList(m.group(1).split(", ", -1)));
            }
        }
        assertThat(known).as("%s: %s", route.name(), reply.text()).isNotEmpty();
        return known;
    }
}
