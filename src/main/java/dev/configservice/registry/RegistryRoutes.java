package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Origin;
import dev.configservice.registry.Discovery.Strategy;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The routes of the service registry. */
public final class RegistryRoutes implements Routes {
    private static final StringRule URL = HttpUrls::problem;
    private static final StringRule STATUS =
            text -> Status.of(text).isPresent() ? null : "must be one of " + String.join(", ", Status.texts());
    private static final StringRule STRATEGY = StringRule.oneOf(
            Arrays.stream(Strategy.values()).map(Strategy::text).toList());
    private static final String METADATA = "metadata.*";

    private final Registry registry;
    private final Discovery discovery;
    private final ChangeLog changeLog;
    private final boolean allowPermanent;
    private final Counter found;
    private final Counter unhealthy;
    private final Counter unknown;

    /**
     * Creates the routes.
     *
     * @param allowPermanent whether instances without a lease may be registered
     */
    public RegistryRoutes(
            Registry registry, Discovery discovery, ChangeLog changeLog, boolean allowPermanent, MeterRegistry meters) {
        this.allowPermanent = allowPermanent;
        this.registry = registry;
        this.discovery = discovery;
        this.changeLog = changeLog;
        this.found = lookups(meters, "healthy");
        this.unhealthy = lookups(meters, "unhealthy");
        this.unknown = lookups(meters, "unknown");
    }

    private static Counter lookups(MeterRegistry meters, String outcome) {
        return Counter.builder("config_service_lookups")
                .description("Lookups of a service, by outcome: a healthy instance, one that is not healthy, or none")
                .tag("outcome", outcome)
                .register(meters);
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.api("POST", "/registry/register", this::register)
                        .needs(Right.REGISTRY_WRITE)
                        .onLog(),
                Route.api("PUT", "/registry/health", this::health)
                        .needs(Right.REGISTRY_WRITE)
                        .onLog(),
                Route.api("POST", "/registry/deregister", this::deregister)
                        .needs(Right.REGISTRY_WRITE)
                        .onLog(),
                Route.api("GET", "/registry/healthy", this::healthy)
                        .needs(Right.READ)
                        .with(Map.of("service_name", StringRule.NAME, METADATA, StringRule.ANY)),
                Route.api("GET", "/registry/prometheus-sd", this::prometheus)
                        .needs(Right.READ)
                        .with(Map.of("service_name", StringRule.NAME)),
                Route.api("GET", "/registry", this::overview).needs(Right.READ),
                Route.api("GET", "/registry/:service_name", this::lookUp)
                        .needs(Right.READ)
                        .with(Map.of("strategy", STRATEGY, METADATA, StringRule.ANY)),
                Route.api("GET", "/registry/:service_name/instances", this::instances)
                        .needs(Right.READ)
                        .with(Map.of("status", STATUS)),
                Route.api("DELETE", "/registry/:service_name/instances/:instance_id", this::deleteInstance)
                        .needs(Right.REGISTRY_WRITE)
                        .with(Map.of("comment", StringRule.COMMENT))
                        .onLog(),
                Route.api("PUT", "/registry/:service_name/instances/:instance_id/override", this::setOverride)
                        .needs(Right.REGISTRY_WRITE)
                        .onLog(),
                Route.api("DELETE", "/registry/:service_name/instances/:instance_id/override", this::deleteOverride)
                        .needs(Right.REGISTRY_WRITE)
                        .with(Map.of("comment", StringRule.COMMENT))
                        .onLog());
    }

    private Future<Response> register(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String service = form.required("service_name", Registration.SERVICE_NAME);
        String url = form.required("service_url", Registration.SERVICE_URL);
        String given = form.text("instance_id", Registration.INSTANCE_ID);
        String check = form.text("health_check_url", Registration.CHECK_URL);
        ObjectNode metadata = metadata(form);
        Long lease = form.integer("lease_seconds", Instance.MIN_LEASE_SECONDS, Instance.MAX_LEASE_SECONDS);
        boolean permanent = Boolean.TRUE.equals(form.bool("permanent"));
        if (permanent && lease != null) {
            form.error("lease_seconds", "may not be given with permanent: such an instance has no lease");
        } else if (permanent && !allowPermanent) {
            form.error("permanent", "is not allowed here (registry.allow-permanent)");
        }
        Long weight = form.integer("weight", 0, Instance.MAX_WEIGHT);
        String status = form.text("status", STATUS);
        form.done();
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        Registration registration = new Registration(
                service,
                given == null ? Registration.idOf(url) : given,
                url,
                check,
                metadata,
                weight == null ? Instance.DEFAULT_WEIGHT : weight.intValue(),
                permanent
                        ? null
                        : lease == null ? Integer.valueOf(Instance.DEFAULT_LEASE_SECONDS) : (Integer) lease.intValue(),
                null,
                status == null ? Status.HEALTHY : Status.of(status).orElse(Status.HEALTHY),
                false,
                registeredBy(request),
                null);
        return registry.register(registration, request.origin(null))
                .map(r -> wrote(Response.json(200, r.instance().render(discovery.beat(r.instance()))), r.revision()));
    }

    /** Returns the caller and its address. They identify the sender of a heartbeat that names no instance. */
    public static String registeredBy(Request request) {
        return request.caller().identity().identity() + "@" + request.remoteAddress();
    }

    private static ObjectNode metadata(FieldReader form) {
        JsonNode node = form.value("metadata");
        String problem = node == null ? null : Registration.metadataProblem(node);
        if (problem != null) {
            form.error("metadata", problem);
        }
        return node instanceof ObjectNode object && problem == null ? object : Json.object();
    }

    private Future<Response> health(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String service = form.required("service_name", Registration.SERVICE_NAME);
        String status = form.required("status", STATUS);
        double responseTime = -1;
        JsonNode given = form.node("response_time");
        if (given != null) {
            if (!given.isNumber() || given.decimalValue().signum() < 0 || given.doubleValue() > 1e9) {
                form.error("response_time", "must be a number of milliseconds, 0 or more");
            } else {
                responseTime = given.doubleValue();
            }
        }
        String instanceId = form.text("instance_id", Registration.INSTANCE_ID);
        String url = form.text("service_url", URL);
        form.done();
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        double time = responseTime;
        return one(request, service, instanceId, url)
                .compose(i -> registry.beat(i, Status.of(status).orElse(Status.HEALTHY), time, request.origin(null)))
                .map(b -> wrote(Response.ready(Response.JSON, b.instance().fresh(b.beat())), b.revision()));
    }

    /** Adds the revision of a write. A heartbeat that wrote nothing stands for what this node has applied. */
    private static Response wrote(Response response, long revision) {
        return revision == 0 ? response : response.wrote(revision);
    }

    private Future<Response> deregister(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String service = form.required("service_name", Registration.SERVICE_NAME);
        String instanceId = form.text("instance_id", Registration.INSTANCE_ID);
        String url = form.text("service_url", URL);
        form.done();
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        Origin origin = request.origin(null);
        return one(request, service, instanceId, url)
                .compose(i -> registry.deregister(i, origin))
                // a repeated request gets the result of the first one, which has already removed the instance
                .recover(e -> changeLog.repeatedOr(origin, e))
                .map(revision -> Response.empty(204).wrote(revision));
    }

    private Future<Response> deleteInstance(Request request) {
        String service = request.parameter("service_name");
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        Origin origin = request.origin(request.query("comment"));
        return one(request, service, request.parameter("instance_id"), null)
                .compose(i -> registry.deregister(i, origin))
                // a repeated request gets the result of the first one, which has already removed the instance
                .recover(e -> changeLog.repeatedOr(origin, e))
                .map(revision -> Response.empty(204).wrote(revision));
    }

    private Future<Response> setOverride(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String status = form.required("status", STATUS);
        String comment = form.text("comment", StringRule.COMMENT);
        form.done();
        return override(request, Status.of(status).orElse(null), comment);
    }

    private Future<Response> deleteOverride(Request request) {
        return override(request, null, request.query("comment"));
    }

    private Future<Response> override(Request request, @Nullable Status status, @Nullable String comment) {
        String service = request.parameter("service_name");
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        return one(request, service, request.parameter("instance_id"), null)
                .compose(i -> registry.override(i, status, request.origin(comment)))
                .map(i -> Response.json(200, render(i, request.caller()))
                        .wrote(i.resource().revision()));
    }

    /** Renders an instance, with the identity of the one who set its override if the caller may see it. */
    private ObjectNode render(Instance instance, Caller caller) {
        ObjectNode o = instance.render(discovery.beat(instance));
        JsonNode override = instance.row().path(Instance.OVERRIDE);
        if (override.isObject() && caller.has(Right.AUDIT_READ)) {
            o.set(Instance.OVERRIDE, override);
        }
        return o;
    }

    /** Returns the instance that a request names. If it names none, returns the only one that can be meant. */
    private Future<Instance> one(Request request, String service, @Nullable String instanceId, @Nullable String url) {
        return registry.instances(service, request.minRevision()).map(instances -> {
            List<Instance> all = instances.list();
            if (instanceId != null || url != null) {
                Instance named =
                        instanceId == null ? instances.byUrl(Objects.requireNonNull(url)) : instances.byId(instanceId);
                if (named == null || (url != null && !named.url().equals(url))) {
                    throw ServiceException.notFound("Service '" + service + "' has no such instance; register again");
                }
                return named;
            }
            if (all.isEmpty()) {
                throw noInstances(service);
            }
            List<Instance> mine = all.stream().filter(i -> isFrom(i, request)).toList();
            if (mine.size() == 1) {
                return mine.get(0);
            }
            if (all.size() == 1
                    && !isAddress(HttpUrls.host(URI.create(all.get(0).url())))) {
                return all.get(0);
            }
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    all.size() == 1
                            ? "The only instance of service '" + service
                                    + "' is at another address; name it by instance_id or service_url, or register"
                            : "Service '" + service + "' has " + all.size()
                                    + " instances; name one by instance_id or service_url");
        });
    }

    /** Tells whether a host is a literal address, which belongs to one process, and not a name. */
    private static boolean isAddress(@Nullable String host) {
        return host != null && (host.startsWith("[") || host.matches("\\d{1,3}(\\.\\d{1,3}){3}"));
    }

    private static boolean isFrom(Instance instance, Request request) {
        String host = HttpUrls.host(URI.create(instance.url()));
        return isSameAddress(request.remoteAddress(), host)
                || instance.row().path("registered_by").asText().equals(registeredBy(request));
    }

    private static boolean isSameAddress(String remote, @Nullable String host) {
        if (host == null || !host.startsWith("[")) {
            return remote.equals(host);
        }
        try {
            // a literal address in brackets, so there is no DNS lookup
            return InetAddress.getByName(host).equals(InetAddress.getByName("[" + remote + "]"));
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private Future<Response> lookUp(Request request) {
        String service = request.parameter("service_name");
        String asked = request.query("strategy");
        Strategy strategy =
                asked == null ? Strategy.ROUND_ROBIN : Strategy.of(asked).orElseThrow();
        request.caller().require(Right.READ, "", service);
        return Futures.map(discovery.pick(service, metadata(request), strategy, request.minRevision()), pick -> {
            Instance picked = pick.instance();
            if (picked == null) {
                unknown.increment();
                throw pick.of().list().isEmpty()
                        ? noInstances(service)
                        : new ServiceException(
                                ErrorCode.NO_INSTANCE, "Service '" + service + "' has no instance to pick now");
            }
            (picked.status() == Status.HEALTHY ? found : unhealthy).increment();
            return Response.ready(Response.JSON, picked.json(discovery.beat(picked)))
                    .asOf(
                            pick.of().snapshot().asOf().revision(),
                            pick.of().snapshot().isOutdated());
        });
    }

    private static ServiceException noInstances(String service) {
        return ServiceException.notFound("Service '" + (StringRule.NAME.problem(service) == null ? service : "?")
                + "' has no instances; register first");
    }

    private static Map<String, String> metadata(Request request) {
        if (request.query().isEmpty()) {
            return Map.of();
        }
        Map<String, String> metadata = new java.util.HashMap<>();
        request.query().forEach((name, value) -> {
            if (name.startsWith("metadata.")) {
                metadata.put(name.substring("metadata.".length()), value);
            }
        });
        return metadata;
    }

    private Future<Response> instances(Request request) {
        String service = request.parameter("service_name");
        String status = request.query("status");
        request.caller().require(Right.READ, "", service);
        return registry.instances(service, request.minRevision()).map(instances -> {
            if (instances.list().isEmpty()) {
                throw noInstances(service);
            }
            if (!request.caller().has(Right.AUDIT_READ)) {
                Buffer body = Buffer.buffer("{\"service_name\":\"" + service + "\",\"instances\":[")
                        .appendBuffer(discovery.json(
                                instances,
                                status == null ? null : Status.of(status).orElseThrow()))
                        .appendString("]")
                        .appendBuffer(protection());
                return stamp(Response.ready(Response.JSON, body), List.of(instances));
            }
            ObjectNode body = Json.object();
            body.put("service_name", service);
            ArrayNode list = body.putArray("instances");
            instances.list().stream()
                    .filter(i -> status == null || i.status().text().equals(status))
                    .forEach(i -> list.add(render(i, request.caller())));
            return stamp(Response.json(200, withProtection(body)), List.of(instances));
        });
    }

    /** Returns the end of an object that says whether expiry is held back. */
    private Buffer protection() {
        byte[] fields = Json.bytes(withProtection(Json.object()));
        fields[0] = ',';
        return Buffer.buffer(fields);
    }

    private ObjectNode withProtection(ObjectNode body) {
        String reason = discovery.protectedReason();
        body.put("protected", reason != null);
        if (reason != null) {
            body.put("protected_reason", reason);
        }
        return body;
    }

    private Future<Response> healthy(Request request) {
        Map<String, String> metadata = metadata(request);
        return visible(request).map(services -> {
            if (metadata.isEmpty()) {
                Buffer body = Buffer.buffer("{\"services\":[");
                boolean first = true;
                for (Registry.Instances service : services) {
                    Buffer shown = discovery.json(service, Status.HEALTHY);
                    if (shown.length() > 0) {
                        body.appendString(first ? "" : ",").appendBuffer(shown);
                        first = false;
                    }
                }
                return stamp(
                        Response.ready(Response.JSON, body.appendString("]").appendBuffer(protection())), services);
            }
            ObjectNode body = Json.object();
            ArrayNode list = body.putArray("services");
            for (Registry.Instances service : services) {
                service.list().stream()
                        .filter(i -> i.status() == Status.HEALTHY && Discovery.fits(i, metadata))
                        .forEach(i -> list.add(i.render(discovery.beat(i))));
            }
            return stamp(Response.json(200, withProtection(body)), services);
        });
    }

    private Future<List<Registry.Instances>> visible(Request request) {
        return discovery.visible(request.caller(), request.query("service_name"), request.minRevision());
    }

    /** Adds the position of the data, and a tag: the last change, and the time slot of heartbeats, which are no changes. */
    private Response stamp(Response answer, List<Registry.Instances> services) {
        long asOf = services.stream()
                .mapToLong(s -> s.snapshot().asOf().revision())
                .min()
                .orElse(0);
        long last = services.stream()
                .mapToLong(s -> s.snapshot().lastChange())
                .max()
                .orElse(0);
        return answer.weaklyTagged(last + "-" + discovery.beatSlot())
                .asOf(asOf, services.stream().anyMatch(s -> s.snapshot().isOutdated()));
    }

    private Future<Response> overview(Request request) {
        return visible(request).map(services -> {
            ObjectNode body = Json.object();
            ArrayNode list = body.putArray("services");
            for (Registry.Instances service : services) {
                if (!service.list().isEmpty()) {
                    list.addObject()
                            .put("service_name", service.serviceName())
                            .put("instances", service.list().size())
                            .put(
                                    "healthy",
                                    service.list().stream()
                                            .filter(i -> i.status() == Status.HEALTHY)
                                            .count());
                }
            }
            return stamp(Response.json(200, withProtection(body)), services);
        });
    }

    private Future<Response> prometheus(Request request) {
        return visible(request).map(services -> stamp(Response.json(200, PrometheusTargets.of(services)), services));
    }
}
