package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.config.ConfigurationKind;
import dev.configservice.config.Configurations;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.UnitId;
import dev.configservice.settings.SpringSettings;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The routes of Spring Cloud Config. An application is a service, and its profiles are environments, the last one first.
 * Below them is the base environment: that of the path ({@code /env/{environment}/spring}), else {@code
 * spring.base-environment}. In each environment, what the application has of its own comes before what all share.
 */
public final class SpringRoutes implements Routes {
    /** A client may send any parameter; those that are not known are ignored. */
    private static final Map<String, StringRule> ANY = Map.of("*", StringRule.ANY);

    /** The name of the application whose configurations all others share. */
    private static final String SHARED = "application";

    /** The profile of an application that has none. */
    private static final String NO_PROFILE = "default";

    private static final int MAX_APPLICATIONS = 10;
    private static final int MAX_PROFILES = 20;
    /** The longest name of a document, and the number of its hyphens that are tried. */
    private static final int MAX_NAME = 1000;

    private static final int MAX_HYPHENS = 20;

    private final Configurations configurations;
    private final ConfigurationKind kind;
    private final ChangeFeed feed;
    private final SpringSettings settings;

    /** Creates the routes over the configurations of a node. */
    public SpringRoutes(
            Configurations configurations, ConfigurationKind kind, ChangeFeed feed, SpringSettings settings) {
        this.configurations = configurations;
        this.kind = kind;
        this.feed = feed;
        this.settings = settings;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (String root : SpringDialect.INSTANCE.roots()) {
            routes.add(route(root + "/:file", r -> document(r, r.parameter("file"), null)));
            routes.add(route(root + "/:application/:profiles", this::two));
            routes.add(route(
                    root + "/:application/:profiles/:label",
                    r -> json(r, r.parameter("application"), r.parameter("profiles"), r.parameter("label"))));
        }
        return routes;
    }

    private static Route route(String path, Function<Request, Future<Response>> answer) {
        return new Route.Facade("GET", path, ANY, SpringDialect.INSTANCE)
                .answeredBy(answer)
                .needs(Right.READ);
    }

    /** Answers an application and its profiles, or a label and a document. */
    private Future<Response> two(Request request) {
        String first = request.parameter("application");
        String second = request.parameter("profiles");
        PlainForm form = PlainForm.of(second);
        return form != null && second.indexOf('-') > 0
                ? document(request, second, first)
                : json(request, first, second, null);
    }

    private Future<Response> json(Request request, String applications, String profiles, @Nullable String label) {
        Asked asked = asked(request, names("application", applications, MAX_APPLICATIONS), profiles);
        requireNow(label);
        ObjectNode beginning = Json.object().put("name", applications);
        beginning.set("profiles", Json.tree(asked.profiles));
        byte[] head = Json.bytes(beginning.put("label", label));
        return read(request, asked)
                .compose(sources -> sources.isLarge()
                        ? configurations.whenItsTurn(() -> answer(sources, sources.json(head)))
                        : Future.succeededFuture(answer(sources, sources.json(head))));
    }

    private Future<Response> document(Request request, String file, @Nullable String label) {
        PlainForm form = PlainForm.of(file);
        int last = file.lastIndexOf('-');
        if (form == null || last < 1 || last == file.length() - form.ending().length() - 1) {
            throw ServiceException.notFound(
                    "A document is named <application>-<profile> and .yml, .yaml, .properties or"
                            + " .json; property sources are at <application>/<profile>");
        }
        requireNow(label);
        String name = file.substring(0, file.length() - form.ending().length());
        if (name.length() > MAX_NAME || name.chars().filter(c -> c == ',').count() >= MAX_PROFILES) {
            throw ServiceException.invalid(
                    "file",
                    "must be " + MAX_NAME + " characters at most, and name " + MAX_PROFILES + " profiles at most");
        }
        int hyphen = hyphen(name);
        Asked asked = asked(
                request, names("application", name.substring(0, hyphen), MAX_APPLICATIONS), name.substring(hyphen + 1));
        boolean resolve = !"false".equals(request.query("resolvePlaceholders"));
        return read(request, asked)
                .compose(sources -> configurations.whenItsTurn(
                        () -> answer(sources, Response.text(form.contentType(), form.write(sources.values(resolve))))));
    }

    private static Response answer(PropertySources sources, Response response) {
        Response whole = response.tagged(sources.tag())
                .asSecret(sources.showsSecrets())
                .asOf(sources.asOf(), sources.isOutdated());
        return sources.withheld() == 0
                ? whole
                : whole.header("X-Config-Withheld", Integer.toString(sources.withheld()));
    }

    /**
     * Returns the index of the hyphen between an application and its profiles. Both can hold hyphens: the longest ending
     * that is an environment with configurations for the application counts, else what follows the last hyphen.
     */
    private int hyphen(String name) {
        int tries = 0;
        for (int at = name.indexOf('-', 1);
                at > 0 && at < name.length() - 1 && tries++ < MAX_HYPHENS;
                at = name.indexOf('-', at + 1)) {
            for (String profile : name.substring(at + 1).split(",", -1)) {
                if (feed.touched(Configurations.unit(profile, "")) != null
                        || feed.touched(Configurations.unit(profile, name.substring(0, at))) != null) {
                    return at;
                }
            }
        }
        return name.lastIndexOf('-');
    }

    /** Refuses a label that does not stand for the configurations as they are now. */
    private void requireNow(@Nullable String label) {
        if (label != null && !settings.labels().contains(label.replace("(_)", "/"))) {
            throw ServiceException.notFound(
                    "There is no such label (known: " + String.join(", ", settings.labels()) + ")");
        }
    }

    /**
     * The meaning of a request.
     *
     * @param profiles the profiles as they were given
     * @param sources the property sources, the one that counts most first
     */
    private record Asked(List<String> profiles, List<PropertySources.Wanted> sources) {}

    private Asked asked(Request request, List<String> applications, String profiles) {
        List<String> given = names("profile", profiles, MAX_PROFILES);
        Set<String> environments = new LinkedHashSet<>();
        reversed(given).stream().filter(p -> !p.equals(NO_PROFILE)).forEach(environments::add);
        String base = base(request, environments.isEmpty());
        List<String> services = reversed(applications);
        List<PropertySources.Wanted> wanted = new ArrayList<>();
        for (String environment : environments) {
            wanted.addAll(sources(environment, services, "-" + environment));
        }
        if (!environments.contains(base)) {
            wanted.addAll(sources(base, services, ""));
        }
        return new Asked(given, wanted);
    }

    private static List<PropertySources.Wanted> sources(String environment, List<String> services, String ending) {
        List<PropertySources.Wanted> sources = new ArrayList<>();
        for (String service : services) {
            if (!service.equals(SHARED)) {
                sources.add(new PropertySources.Wanted(service + ending, environment, service));
            }
        }
        sources.add(new PropertySources.Wanted(SHARED + ending, environment, ""));
        return sources;
    }

    /** Returns the environment below those of the profiles. */
    private String base(Request request, boolean isAlone) {
        String named = request.parameters().get("environment");
        if (named != null) {
            return names("environment", named, 1).get(0);
        }
        String only = isAlone ? request.caller().environments().only() : null;
        return only == null ? settings.baseEnvironment() : only;
    }

    private static List<String> names(String field, String text, int max) {
        List<String> names = List.copyOf(new LinkedHashSet<>(List.of(text.split(",", -1))));
        if (names.size() > max) {
            throw ServiceException.invalid(field, "must be " + max + " names at most, separated by commas");
        }
        for (String name : names) {
            String problem = StringRule.NAME.problem(name);
            if (problem != null) {
                throw ServiceException.invalid(field, problem);
            }
        }
        return names;
    }

    private static List<String> reversed(List<String> names) {
        List<String> reversed = new ArrayList<>(names);
        Collections.reverse(reversed);
        return reversed;
    }

    private Future<PropertySources> read(Request request, Asked asked) {
        Caller caller = request.caller();
        PropertySources sources = new PropertySources(kind, caller, request.id());
        List<UnitId> layers = asked.sources.stream()
                .map(wanted -> Configurations.unit(wanted.environment(), wanted.service()))
                .toList();
        return Futures.map(
                configurations.layers(
                        layers, request.minRevision(), PropertySources.MAX_STORED_BYTES, PropertySources::tooMuch),
                found -> {
                    for (int i = 0; i < found.size(); i++) {
                        Configurations.Layer layer = found.get(i);
                        sources.add(
                                asked.sources.get(i),
                                layer,
                                layer.isEmpty() && feed.recent().hasOf(layers.get(i)));
                    }
                    sources.requireAny();
                    return sources;
                });
    }
}
