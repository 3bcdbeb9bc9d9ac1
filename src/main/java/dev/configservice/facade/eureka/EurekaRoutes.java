package dev.configservice.facade.eureka;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.error.ServiceException;
import dev.configservice.facade.eureka.EurekaApps.Form;
import dev.configservice.http.Gzip;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.http.SharedAnswers;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeReader;
import dev.configservice.registry.Discovery;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registration;
import dev.configservice.registry.Registry;
import dev.configservice.registry.RegistryRoutes;
import dev.configservice.registry.ServiceIndex;
import dev.configservice.registry.Status;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The routes of Eureka, for instances that register and for clients that find them. An application is a service; case does
 * not count. An instance whose lease has expired is not listed.
 */
public final class EurekaRoutes implements Routes {
    /** A client may send any parameter; those that are not known are ignored. */
    private static final Map<String, StringRule> ANY = Map.of("*", StringRule.ANY);

    private static final int LARGE = 500;
    private static final long SLOT_MILLIS = 1000;

    private final Registry registry;
    private final Discovery discovery;
    private final ServiceIndex index;
    private final EurekaChanges changes;
    private final InstantSource clock;
    private final SharedAnswers answers;
    private final EurekaApps.Rendered rendered = new EurekaApps.Rendered();
    private volatile @Nullable Kept kept;

    /** All applications, and the state that they were read in. */
    private record Kept(EurekaChanges.Version version, EurekaApps apps) {}

    /** Creates the routes over the registry of a node. */
    public EurekaRoutes(
            Registry registry,
            Discovery discovery,
            ServiceIndex index,
            ChangeFeed feed,
            ChangeReader reader,
            InstantSource clock) {
        this.registry = registry;
        this.discovery = discovery;
        this.index = index;
        this.changes = new EurekaChanges(feed, reader, clock);
        this.clock = clock;
        this.answers = new SharedAnswers(() -> changes.version().number());
    }

    /** The kind of an answer that callers with the same reach share. */
    private record Kind(String name, Form form, boolean isCompressed, Scope reach) {}

    /** Starts to follow the log. */
    public void start() {
        changes.start();
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (String root : EurekaDialect.INSTANCE.roots()) {
            routes.add(reading(root + "/apps", this::all));
            routes.add(reading(root + "/apps/delta", this::delta));
            routes.add(reading(root + "/apps/:app", this::application));
            routes.add(reading(root + "/apps/:app/:id", this::instance));
            routes.add(reading(root + "/instances/:id", this::anyInstance));
            routes.add(reading(root + "/vips/:vip", r -> byAddress(r, false)));
            routes.add(reading(root + "/svips/:vip", r -> byAddress(r, true)));
            routes.add(writing("POST", root + "/apps/:app", this::register));
            routes.add(writing("PUT", root + "/apps/:app/:id", this::renew));
            routes.add(writing("DELETE", root + "/apps/:app/:id", this::cancel));
            routes.add(writing("PUT", root + "/apps/:app/:id/status", this::override));
            routes.add(writing("DELETE", root + "/apps/:app/:id/status", this::endOverride));
            routes.add(writing("PUT", root + "/apps/:app/:id/metadata", this::describe));
        }
        return routes;
    }

    private static Route reading(String path, Function<Request, Future<Response>> answer) {
        return new Route.Facade("GET", path, ANY, EurekaDialect.INSTANCE)
                .answeredBy(answer)
                .needs(Right.READ);
    }

    private static Route writing(String method, String path, Function<Request, Future<Response>> answer) {
        return new Route.Facade(method, path, ANY, EurekaDialect.INSTANCE)
                .answeredBy(answer)
                .needs(Right.REGISTRY_WRITE)
                .onLog();
    }

    private static Form form(Request request) {
        String accept = request.header("accept");
        return accept != null && accept.toLowerCase(Locale.ROOT).contains("json") ? Form.JSON : Form.XML;
    }

    /** Returns the applications that a caller may see. They are read once for all callers that may see everything. */
    private Future<EurekaApps> apps(Request request) {
        EurekaChanges.Version version = changes.version();
        Caller caller = request.caller();
        boolean isShared = caller.serviceNames().isAll();
        Kept known = kept;
        if (isShared && known != null && known.version().equals(version)) {
            return Future.succeededFuture(known.apps());
        }
        long min = Math.max(version.revision(), request.minRevision());
        return discovery
                .visible(caller, null, min)
                .compose(services ->
                        services.stream().mapToInt(s -> s.list().size()).sum() > LARGE
                                ? Futures.onWorker(() -> new EurekaApps(services, rendered))
                                : Future.succeededFuture(new EurekaApps(services, rendered)))
                .onSuccess(apps -> {
                    if (isShared && !apps.isOutdated()) {
                        kept = new Kept(version, apps);
                    }
                });
    }

    private Future<Response> all(Request request) {
        Form form = form(request);
        // the client asks for a delta next: it should be there by then
        changes.recent();
        boolean compressed = isCompressed(request);
        return answers.get(
                new Kind("all", form, compressed, request.caller().serviceNames()),
                () -> apps(request).compose(apps -> answer(apps, form, compressed, () -> apps.all(form, compressed))));
    }

    private static boolean isCompressed(Request request) {
        return Gzip.isAccepted(request.header("accept-encoding"));
    }

    private static Future<Response> answer(EurekaApps apps, Form form, boolean compressed, Supplier<Buffer> body) {
        Future<Buffer> made = apps.size() > LARGE ? Futures.onWorker(body::get) : Future.succeededFuture(body.get());
        return made.map(bytes -> {
            Response response = Response.ready(form.contentType(), bytes).asOf(apps.asOf(), apps.isOutdated());
            return compressed ? response.header("Content-Encoding", "gzip") : response;
        });
    }

    private Future<Response> delta(Request request) {
        Form form = form(request);
        boolean compressed = isCompressed(request);
        return answers.get(
                new Kind("delta", form, compressed, request.caller().serviceNames()),
                () -> delta(request, form, compressed));
    }

    private Future<Response> delta(Request request, Form form, boolean compressed) {
        return apps(request).compose(apps -> {
            // after the applications: what they hold is then never missing here
            List<EurekaChanges.Changed> recent = changes.recent();
            if (recent == null) {
                // the client then asks for everything
                return Future.succeededFuture(Response.empty(403));
            }
            Caller caller = request.caller();
            List<EurekaChanges.Changed> visible = recent.stream()
                    .filter(c -> caller.may(Right.READ, "", c.last().serviceName()))
                    .toList();
            long slot = clock.millis() / SLOT_MILLIS;
            return answer(apps, form, compressed, () -> apps.delta(form, compressed, visible, slot));
        });
    }

    private Future<Response> application(Request request) {
        Form form = form(request);
        return apps(request).map(apps -> {
            String name = request.parameter("app").toUpperCase(Locale.ROOT);
            List<Instance> instances = apps.named(name);
            return instances == null
                    ? Response.empty(404)
                    : Response.ready(form.contentType(), apps.application(form, name, instances))
                            .asOf(apps.asOf(), apps.isOutdated());
        });
    }

    private Future<Response> instance(Request request) {
        return apps(request).map(apps -> {
            List<Instance> instances = apps.named(request.parameter("app"));
            Instance found = null;
            for (Instance instance : instances == null ? List.<Instance>of() : instances) {
                found = found == null && instance.instanceId().equals(request.parameter("id")) ? instance : found;
            }
            return shown(request, apps, found);
        });
    }

    private Future<Response> anyInstance(Request request) {
        return apps(request).map(apps -> shown(request, apps, apps.withId(request.parameter("id"))));
    }

    private Response shown(Request request, EurekaApps apps, @Nullable Instance instance) {
        Form form = form(request);
        return instance == null
                ? Response.empty(404)
                : Response.ready(
                                form.contentType(),
                                EurekaApps.instance(
                                        form, instance, discovery.beat(instance).atMillis()))
                        .asOf(apps.asOf(), apps.isOutdated());
    }

    private Future<Response> byAddress(Request request, boolean secure) {
        Form form = form(request);
        Set<String> wanted = Set.of(request.parameter("vip").split(",", -1));
        Predicate<Instance> isThere =
                i -> EurekaInstance.addresses(i, secure).stream().anyMatch(wanted::contains);
        return apps(request).compose(apps -> answer(apps, form, false, () -> apps.those(form, isThere)));
    }

    private Future<Response> register(Request request) {
        byte[] bytes = request.body().getBytes();
        JsonNode body = EurekaXml.isXml(bytes) ? EurekaXml.read(bytes) : Json.parseBody(bytes);
        EurekaInstance.Given given = EurekaInstance.read(request.parameter("app"), body);
        String service = service(given, request.caller());
        Registration registration = given.registration(service, given.status(), RegistryRoutes.registeredBy(request));
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        return registry.instances(service, 0)
                .compose(instances -> {
                    Instance known = instances.byId(registration.instanceId());
                    // only an override takes an instance that is up out of service
                    boolean staysUp = given.status() == Status.STOPPING
                            && known != null
                            && !known.isExpired()
                            && known.said() == Status.HEALTHY;
                    return registry.register(
                            staysUp
                                    ? given.registration(service, Status.HEALTHY, RegistryRoutes.registeredBy(request))
                                    : registration,
                            request.origin(null));
                })
                .map(registered -> wrote(Response.empty(204), registered.revision()));
    }

    /**
     * Returns the service that an instance registers for: one that is there and whose name differs by case alone, else a new
     * one. Of several, it is one that the caller may write; a key may also have the name in another case.
     */
    private String service(EurekaInstance.Given given, Caller caller) {
        String wanted = given.serviceName();
        Set<String> known = index.named(wanted);
        Set<String> candidates = new LinkedHashSet<>();
        if (known.isEmpty() || known.contains(wanted)) {
            candidates.add(wanted);
        }
        candidates.addAll(known);
        for (String pattern : caller.serviceNames().patterns()) {
            String beginning = pattern.endsWith("*") ? pattern.substring(0, pattern.length() - 1) : pattern;
            boolean isPrefix = wanted.regionMatches(true, 0, beginning, 0, beginning.length());
            if (isPrefix && (pattern.endsWith("*") || wanted.length() == beginning.length())) {
                candidates.add(beginning + wanted.substring(beginning.length()));
            }
        }
        return candidates.stream()
                .filter(name -> caller.mayWrite(Right.REGISTRY_WRITE, "", name))
                .findFirst()
                .orElse(wanted);
    }

    private static Response wrote(Response response, long revision) {
        return revision == 0 ? response : response.wrote(revision);
    }

    /** Finds the instance that a request names, and does something with it. Answers 404 if there is none. */
    private Future<Response> with(Request request, Function<Instance, Future<Response>> action) {
        return found(request, index.named(request.parameter("app")).iterator(), null)
                .compose(instance -> {
                    if (instance == null) {
                        return Future.succeededFuture(Response.empty(404));
                    }
                    request.caller().require(Right.REGISTRY_WRITE, "", instance.serviceName());
                    return action.apply(instance);
                });
    }

    /** Returns the instance that a request names: of several, one that the caller may write. */
    private Future<@Nullable Instance> found(Request request, Iterator<String> services, @Nullable Instance other) {
        if (!services.hasNext()) {
            return Future.succeededFuture(other);
        }
        return registry.instances(services.next(), request.minRevision()).compose(instances -> {
            Instance instance = instances.byId(request.parameter("id"));
            boolean isIt =
                    instance != null && request.caller().mayWrite(Right.REGISTRY_WRITE, "", instance.serviceName());
            return isIt
                    ? Future.succeededFuture(instance)
                    : found(request, services, instance == null ? other : instance);
        });
    }

    private Future<Response> renew(Request request) {
        return with(request, instance -> {
            String dirty = request.query(EurekaInstance.LAST_DIRTY);
            long known = instance.foreign(EurekaInstance.FOREIGN)
                    .path(EurekaInstance.LAST_DIRTY)
                    .asLong();
            // 0: the client did not say when it registered
            if (known > 0 && dirty != null && dirty.matches("\\d{1,18}") && Long.parseLong(dirty) > known) {
                // the client has changed since it registered, and does so again
                return Future.succeededFuture(Response.empty(404));
            }
            return registry.beat(instance, instance.said(), -1, request.origin(null))
                    .map(beaten -> wrote(Response.empty(200), beaten.revision()));
        });
    }

    private Future<Response> cancel(Request request) {
        return with(
                request,
                instance -> registry.deregister(instance, request.origin(null))
                        .map(revision -> Response.empty(200).wrote(revision)));
    }

    private Future<Response> override(Request request) {
        String value = request.query("value");
        Status status = value == null ? null : EurekaInstance.status(value);
        if (value == null || status == null) {
            throw ServiceException.invalid("value", "must be UP, DOWN, STARTING, OUT_OF_SERVICE or UNKNOWN");
        }
        boolean isNone = value.equalsIgnoreCase(EurekaInstance.UNKNOWN);
        return with(
                request,
                instance -> registry.override(instance, isNone ? null : status, request.origin("by Eureka"))
                        .map(EurekaRoutes::changed));
    }

    private static Response changed(Instance instance) {
        return Response.empty(200).wrote(instance.resource().revision());
    }

    private Future<Response> endOverride(Request request) {
        String value = request.query("value");
        Status said = value == null ? null : EurekaInstance.status(value);
        return with(request, instance -> {
            Future<Instance> ended = instance.override() == null
                    ? Future.succeededFuture(instance)
                    : registry.override(instance, null, request.origin("by Eureka"));
            return ended.compose(now -> said == null || said == now.said()
                    ? Future.succeededFuture(changed(now))
                    : registry.beat(now, said, -1, request.origin(null))
                            .map(beaten -> wrote(changed(beaten.instance()), beaten.revision())));
        });
    }

    private Future<Response> describe(Request request) {
        Map<String, String> entries = new HashMap<>(request.query());
        return with(request, instance -> {
            var metadata = Json.object();
            instance.metadata().properties().forEach(m -> metadata.set(m.getKey(), m.getValue()));
            entries.forEach(metadata::put);
            boolean isStorable = entries.keySet().stream().allMatch(name -> Json.textProblem(name) == null);
            String problem = isStorable
                    ? Registration.metadataProblem(metadata)
                    : "has a name with a character that cannot be stored";
            if (problem != null) {
                throw ServiceException.invalid("metadata", problem);
            }
            return entries.isEmpty()
                    ? Future.succeededFuture(Response.empty(200))
                    : registry.describe(instance, entries, request.origin(null)).map(EurekaRoutes::changed);
        });
    }
}
