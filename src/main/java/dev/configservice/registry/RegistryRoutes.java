package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import dev.configservice.secret.Sha256;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The routes of the service registry. */
public final class RegistryRoutes implements Routes {
    private static final Set<String> RESERVED = Set.of("healthy", "register", "health", "deregister", "prometheus-sd");
    private static final StringRule SERVICE_NAME = text -> {
        String problem = StringRule.NAME.problem(text);
        return problem == null && RESERVED.contains(text) ? "is reserved" : problem;
    };
    private static final StringRule INSTANCE_ID =
            StringRule.pattern("[A-Za-z0-9._:-]{1,200}", "must be 1 to 200 of A-Z a-z 0-9 . _ : -");
    private static final StringRule URL = text -> {
        if (text.length() > 2000) {
            return "must be at most 2000 characters";
        }
        try {
            URI uri = new URI(text);
            return uri.isAbsolute() && uri.getHost() != null ? null : "must be an absolute URI with a host";
        } catch (URISyntaxException e) {
            return "must be an absolute URI with a host";
        }
    };
    private static final StringRule CHECK_URL = text -> {
        String problem = URL.problem(text);
        return problem == null && !HttpUrls.isHttp(URI.create(text)) ? "must be an http or https URL" : problem;
    };
    private static final StringRule STATUS =
            text -> Status.of(text).isPresent() ? null : "must be one of " + String.join(", ", Status.texts());
    private static final StringRule STRATEGY = StringRule.oneOf(
            Arrays.stream(Strategy.values()).map(Strategy::text).toList());
    private static final String METADATA = "metadata.*";

    private final Registry registry;
    private final Discovery discovery;
    private final ChangeLog changeLog;
    private final Counter found;
    private final Counter unhealthy;
    private final Counter unknown;

    public RegistryRoutes(Registry registry, Discovery discovery, ChangeLog changeLog, MeterRegistry meters) {
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
                        .onLog());
    }

    private Future<Response> register(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String service = form.required("service_name", SERVICE_NAME);
        String url = form.required("service_url", URL);
        String given = form.text("instance_id", INSTANCE_ID);
        String check = form.text("health_check_url", CHECK_URL);
        ObjectNode metadata = metadata(form);
        Long lease = form.integer("lease_seconds", Instance.MIN_LEASE_SECONDS, Instance.MAX_LEASE_SECONDS);
        String status = form.text("status", STATUS);
        form.done();
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        ObjectNode row = Json.object();
        row.put("service_url", url);
        row.put("health_check_url", check);
        row.set("metadata", metadata);
        row.put("status", status == null ? Status.HEALTHY.text() : status);
        row.put("lease_seconds", lease == null ? Instance.DEFAULT_LEASE_SECONDS : lease);
        row.put("registered_by", registeredBy(request));
        String id = given == null ? idOf(url) : given;
        return registry.register(service, id, row, request.origin(null))
                .map(r -> wrote(Response.json(200, r.instance().render(discovery.beat(r.instance()))), r.revision()));
    }

    /** Returns the caller and its address. They identify the sender of a heartbeat that names no instance. */
    private static String registeredBy(Request request) {
        return request.caller().identity().identity() + "@" + request.remoteAddress();
    }

    private static ObjectNode metadata(FieldReader form) {
        JsonNode node = form.value("metadata");
        ObjectNode metadata = Json.object();
        if (node == null) {
            return metadata;
        }
        if (!(node instanceof ObjectNode object) || object.size() > 50) {
            form.error("metadata", "must be an object of at most 50 strings");
            return metadata;
        }
        for (Map.Entry<String, JsonNode> m : object.properties()) {
            if (!m.getValue().isTextual()
                    || m.getValue().textValue().length() > 1000
                    || m.getKey().length() > 100) {
                form.error("metadata", "must have string values of at most 1000 characters and names of at most 100");
                return metadata;
            }
        }
        return object;
    }

    /** Returns the id of an instance that was registered without one. The same URL always gives the same id. */
    static String idOf(String url) {
        return Sha256.hex(url).substring(0, 20);
    }

    private Future<Response> health(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String service = form.required("service_name", SERVICE_NAME);
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
        String instanceId = form.text("instance_id", INSTANCE_ID);
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
        String service = form.required("service_name", SERVICE_NAME);
        String instanceId = form.text("instance_id", INSTANCE_ID);
        String url = form.text("service_url", URL);
        form.done();
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        Origin origin = request.origin(null);
        return one(request, service, instanceId, url)
                .compose(i -> remove(i, origin))
                .recover(e -> origin.idempotencyKey() == null ? Future.failedFuture(e) : repeated(origin, e));
    }

    /** Answers a repeated request with the result of the first one, which has already removed the instance. */
    private Future<Response> repeated(Origin origin, Throwable failure) {
        if (!(failure instanceof ServiceException e)
                || (e.code() != ErrorCode.NOT_FOUND && e.code() != ErrorCode.CONFLICT)) {
            return Future.failedFuture(failure);
        }
        return changeLog
                .repeated(Objects.requireNonNull(origin.idempotencyKey()))
                .compose(revision -> revision.isPresent()
                        ? Future.succeededFuture(Response.empty(204).wrote(revision.get()))
                        : Future.failedFuture(failure));
    }

    private Future<Response> deleteInstance(Request request) {
        String service = request.parameter("service_name");
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        return one(request, service, request.parameter("instance_id"), null)
                .compose(i -> remove(i, request.origin(null)));
    }

    private Future<Response> remove(Instance instance, Origin origin) {
        return registry.deregister(instance, origin)
                .map(revision -> Response.empty(204).wrote(revision));
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
                throw ServiceException.notFound("Service '" + service + "' has no instances; register again");
            }
            if (all.size() == 1) {
                return all.get(0);
            }
            List<Instance> mine = all.stream().filter(i -> isFrom(i, request)).toList();
            if (mine.size() != 1) {
                throw new ServiceException(
                        ErrorCode.CONFLICT,
                        "Service '" + service + "' has " + all.size()
                                + " instances; name one by instance_id or service_url");
            }
            return mine.get(0);
        });
    }

    private static boolean isFrom(Instance instance, Request request) {
        String host = URI.create(instance.url()).getHost();
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
                throw ServiceException.notFound("Service '" + (StringRule.NAME.problem(service) == null ? service : "?")
                        + "' has no matching instance");
            }
            (picked.status() == Status.HEALTHY ? found : unhealthy).increment();
            return Response.ready(Response.JSON, picked.json(discovery.beat(picked)))
                    .asOf(
                            pick.of().snapshot().asOf().revision(),
                            pick.of().snapshot().isOutdated());
        });
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
                throw ServiceException.notFound("This service has no instances");
            }
            ObjectNode body = Json.object();
            body.put("service_name", service);
            ArrayNode list = body.putArray("instances");
            instances.list().stream()
                    .filter(i -> status == null || i.status().text().equals(status))
                    .forEach(i -> list.add(i.render(discovery.beat(i))));
            return Response.json(200, withProtection(body))
                    .tagged(Long.toString(instances.snapshot().lastChange()))
                    .asOf(
                            instances.snapshot().asOf().revision(),
                            instances.snapshot().isOutdated());
        });
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

    private static Response stamp(Response answer, List<Registry.Instances> services) {
        long asOf = services.stream()
                .mapToLong(s -> s.snapshot().asOf().revision())
                .min()
                .orElse(0);
        return answer.asOf(asOf, services.stream().anyMatch(s -> s.snapshot().isOutdated()));
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
        return visible(request).map(services -> {
            ArrayNode groups = Json.object().arrayNode();
            for (Registry.Instances service : services) {
                for (Instance i : service.list()) {
                    URI uri = URI.create(i.url());
                    int port = HttpUrls.port(uri);
                    ObjectNode group = groups.addObject();
                    group.putArray("targets").add(uri.getHost() + ":" + port);
                    ObjectNode labels = group.putObject("labels");
                    labels.put("__meta_config_service_name", i.serviceName());
                    labels.put("__meta_config_service_instance_id", i.instanceId());
                    labels.put("__meta_config_service_status", i.status().text());
                    labels.put("__scheme__", uri.getScheme());
                    labels.put("service", i.serviceName());
                    i.row()
                            .path("metadata")
                            .properties()
                            .forEach(m -> labels.put(
                                    "__meta_config_service_metadata_"
                                            + m.getKey().replaceAll("[^A-Za-z0-9_]", "_"),
                                    m.getValue().asText()));
                }
            }
            return stamp(Response.json(200, groups), services);
        });
    }
}
