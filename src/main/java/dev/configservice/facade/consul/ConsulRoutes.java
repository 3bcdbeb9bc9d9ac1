package dev.configservice.facade.consul;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.events.ChangeFilter;
import dev.configservice.events.stream.ChangeStreams;
import dev.configservice.facade.consul.ConsulQueries.Shown;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.log.ChangeFeed;
import dev.configservice.registry.Discovery;
import dev.configservice.registry.Instance;
import dev.configservice.registry.InstanceIndex;
import dev.configservice.registry.Registration;
import dev.configservice.registry.Registry;
import dev.configservice.registry.Registry.Instances;
import dev.configservice.registry.RegistryRoutes;
import dev.configservice.registry.Status;
import io.vertx.core.Future;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The routes of Consul: services of an agent, their health, and the catalog. All nodes of this service are one agent and one
 * node of Consul. The index of an answer is the revision of the last change of what it shows; with {@code index}, a read
 * waits until that moves on.
 */
public final class ConsulRoutes implements Routes {
    private static final String NODE = "config-service";

    private final Registry registry;
    private final Discovery discovery;
    private final InstanceIndex index;
    private final ChangeStreams streams;
    private final ChangeFeed feed;
    private final ConsulQueries queries;
    private final Options options;
    private final UUID nodeId;

    /**
     * The properties of the node that Consul's clients see.
     *
     * @param hasActiveChecks whether the URLs of checks are asked
     * @param allowPermanent whether instances without a lease may be registered
     */
    public record Options(
            String clusterName, String datacenter, String address, boolean hasActiveChecks, boolean allowPermanent) {}

    /** Creates the routes over the registry of a node. */
    public ConsulRoutes(
            Registry registry, Discovery discovery, ChangeStreams streams, ChangeFeed feed, Options options) {
        this.registry = registry;
        this.discovery = discovery;
        this.index = new InstanceIndex(registry, feed, ConsulChecks::names);
        this.streams = streams;
        this.feed = feed;
        this.queries = new ConsulQueries(feed);
        this.options = options;
        this.nodeId = UUID.nameUUIDFromBytes(options.clusterName().getBytes(StandardCharsets.UTF_8));
    }

    /** Starts to follow the log. */
    public void start() {
        index.start();
    }

    @Override
    public List<Route> routes() {
        return List.of(
                writing("/agent/service/register", this::register),
                writing("/agent/service/deregister/:id", this::deregister),
                writing("/agent/service/maintenance/:id", this::maintenance),
                writing("/agent/check/register", this::registerCheck),
                writing("/agent/check/deregister/:check", this::deregisterCheck),
                writing("/agent/check/pass/:check", r -> check(r, ConsulChecks.PASSING, note(r))),
                writing("/agent/check/warn/:check", r -> check(r, ConsulChecks.WARNING, note(r))),
                writing("/agent/check/fail/:check", r -> check(r, ConsulChecks.CRITICAL, note(r))),
                writing("/agent/check/update/:check", this::update),
                reading("/agent/self", r -> now(self())),
                reading("/agent/services", this::agentServices),
                reading("/agent/checks", this::agentChecks),
                reading("/status/leader", r -> now(Json.tree(options.address() + ":8300"))),
                reading("/status/peers", r -> now(Json.tree(List.of(options.address() + ":8300")))),
                reading("/catalog/datacenters", r -> now(Json.tree(List.of(options.datacenter())))),
                reading("/catalog/nodes", r -> now(Json.object().arrayNode().add(node()))),
                reading("/catalog/services", this::services),
                reading("/catalog/service/:service", r -> ofService(r, this::catalogEntry)),
                reading("/health/service/:service", r -> ofService(r, this::healthEntry)),
                reading("/health/checks/:service", this::checksOfService),
                reading("/health/state/:state", this::checksInState));
    }

    private static Route reading(String path, Function<Request, Future<Response>> answer) {
        return ConsulDialect.route("GET", path, answer).needs(Right.READ);
    }

    private static Route writing(String path, Function<Request, Future<Response>> answer) {
        return ConsulDialect.route("PUT", path, answer)
                .needs(Right.REGISTRY_WRITE)
                .onLog();
    }

    // what agents do

    private Future<Response> register(Request request) {
        Registration registration = ConsulService.read(
                Json.parseBody(request.body().getBytes()),
                request.remoteAddress(),
                options.hasActiveChecks(),
                RegistryRoutes.registeredBy(request));
        String service = registration.serviceName();
        request.caller().require(Right.REGISTRY_WRITE, "", service);
        requireLease(registration);
        return index.named(registration.instanceId())
                .compose(places -> replaced(request, registration, places))
                .compose(v -> registry.register(registration, request.origin(null)))
                .map(r -> wrote(r.revision()));
    }

    /** Removes instances with the same id that were registered by Consul for other services: an agent has only one. */
    private Future<Void> replaced(Request request, Registration registration, List<InstanceIndex.Ref> places) {
        Future<Void> done = Future.succeededFuture();
        for (InstanceIndex.Ref place : places) {
            if (!place.serviceName().equals(registration.serviceName())
                    && place.instanceId().equals(registration.instanceId())) {
                done = done.compose(v -> instance(place, request))
                        .compose(found -> found.filter(
                                        i -> i.foreign(ConsulService.FOREIGN).isObject())
                                .map(i -> removed(request, i))
                                .orElse(Future.succeededFuture()));
            }
        }
        return done;
    }

    private Future<Void> removed(Request request, Instance instance) {
        request.caller().require(Right.REGISTRY_WRITE, "", instance.serviceName());
        return registry.deregister(instance, request.origin(null)).mapEmpty();
    }

    private Future<Optional<Instance>> instance(InstanceIndex.Ref place, Request request) {
        return registry.instances(place.serviceName(), request.minRevision())
                .map(instances -> Optional.ofNullable(instances.byId(place.instanceId())));
    }

    /** Returns the instance with a name: one that was registered by Consul, else the first other one. */
    private Future<Optional<Instance>> named(Request request, String name) {
        return index.named(name).compose(places -> {
            List<Future<Optional<Instance>>> reads =
                    places.stream().map(place -> instance(place, request)).toList();
            return Future.all(reads).map(v -> {
                List<Instance> found = new ArrayList<>();
                reads.forEach(read -> read.result().ifPresent(found::add));
                return found.stream()
                        .filter(i -> i.foreign(ConsulService.FOREIGN).isObject())
                        .findFirst()
                        .or(() -> found.stream().findFirst());
            });
        });
    }

    private static Response wrote(long revision) {
        Response empty = Response.empty(200);
        return revision == 0 ? empty : empty.wrote(revision);
    }

    private Future<Response> deregister(Request request) {
        return named(request, request.parameter("id"))
                .compose(found -> found.isEmpty()
                        ? Future.succeededFuture(Response.empty(200))
                        : removed(request, found.get()).map(Response.empty(200)));
    }

    private Future<Response> maintenance(Request request) {
        String enable = request.query("enable");
        if (enable == null || !enable.matches("true|false|1|0")) {
            throw ServiceException.invalid("enable", "must be true or false");
        }
        boolean isOn = enable.equals("true") || enable.equals("1");
        String reason = request.query("reason");
        return named(request, request.parameter("id")).compose(found -> {
            Instance instance = found.orElseThrow(
                    () -> ServiceException.notFound("Unknown service ID \"" + request.parameter("id") + "\""));
            request.caller().require(Right.REGISTRY_WRITE, "", instance.serviceName());
            return registry.override(
                            instance,
                            isOn ? Status.STOPPING : null,
                            request.origin(reason == null ? "by Consul" : reason))
                    .map(i -> wrote(i.resource().revision()));
        });
    }

    private static String note(Request request) {
        String note = request.query("note");
        return note == null ? "" : note;
    }

    private Future<Response> update(Request request) {
        JsonNode body = Json.parseBody(request.body().getBytes());
        String status = ConsulService.text(body, "Status");
        ConsulChecks.requireStatus(status);
        return check(request, status, body.path("Output").asText(""));
    }

    private Future<Response> check(Request request, String status, String output) {
        String id = request.parameter("check");
        return ofCheck(request, id).compose(instance -> {
            ConsulChecks checks = ConsulChecks.of(instance);
            Future<Instance> noted = checks.set(id, status, output)
                    ? registry.keepForeign(instance, ConsulService.keptWith(instance, checks), request.origin(null))
                    : Future.succeededFuture(instance);
            // one that was not registered by Consul has a check without a state of its own
            Status said =
                    checks.json().isEmpty() && !status.equals(ConsulChecks.PASSING) ? Status.UNHEALTHY : checks.said();
            return noted.compose(i -> registry.beat(i, said, -1, request.origin(null)))
                    .map(beaten -> wrote(beaten.revision()));
        });
    }

    /** Returns the instance that has a check. Fails if there is none, or if the caller may not write it. */
    private Future<Instance> ofCheck(Request request, String id) {
        return named(request, ConsulChecks.name(id)).map(found -> {
            Instance instance = found.orElseThrow(() -> ServiceException.notFound(
                    "Unknown check ID \"" + id + "\". Ensure that the check ID is passed, not the check name."));
            request.caller().require(Right.REGISTRY_WRITE, "", instance.serviceName());
            return instance;
        });
    }

    private Future<Response> registerCheck(Request request) {
        JsonNode body = Json.parseBody(request.body().getBytes());
        if (!body.isObject()) {
            throw ServiceException.invalid("body", "must be an object");
        }
        String name = ConsulService.text(body, "Name");
        if (name.isEmpty()) {
            throw ServiceException.invalid("Name", "is required");
        }
        String service = ConsulService.text(body, "ServiceID");
        if (service.isEmpty()) {
            throw ServiceException.invalid("ServiceID", "is required: there are no checks of nodes");
        }
        return named(request, service).compose(found -> {
            Instance instance = found.filter(
                            i -> i.foreign(ConsulService.FOREIGN).isObject())
                    .orElseThrow(() -> ServiceException.notFound("ServiceID \"" + service + "\" does not exist"));
            ConsulChecks checks = ConsulChecks.of(instance);
            checks.add(body, name, options.hasActiveChecks());
            return registerAgain(request, instance, checks);
        });
    }

    private Future<Response> deregisterCheck(Request request) {
        String id = request.parameter("check");
        return ofCheck(request, id).compose(instance -> {
            ConsulChecks checks = ConsulChecks.of(instance);
            return checks.remove(id)
                    ? registerAgain(request, instance, checks)
                    : Future.succeededFuture(Response.empty(200));
        });
    }

    private Future<Response> registerAgain(Request request, Instance instance, ConsulChecks checks) {
        request.caller().require(Right.REGISTRY_WRITE, "", instance.serviceName());
        Registration registration = ConsulService.withChecks(instance, checks, RegistryRoutes.registeredBy(request));
        requireLease(registration);
        return registry.register(registration, request.origin(null)).map(r -> wrote(r.revision()));
    }

    private void requireLease(Registration registration) {
        if (registration.leaseSeconds() == null && !options.allowPermanent()) {
            throw ServiceException.invalid("Check", "with a TTL is required here (registry.allow-permanent)");
        }
    }

    // what clients read

    private Future<Response> now(JsonNode body) {
        return new Shown(feed.applied().revision(), () -> Future.succeededFuture(Response.json(200, body)), false)
                .answer();
    }

    /**
     * Answers a read of instances.
     *
     * @param service the only service whose changes matter; null for all
     */
    private Future<Response> answered(Request request, @Nullable String service, Supplier<Future<Shown>> read) {
        return ConsulQueries.answered(
                request,
                new ConsulQueries.Query(
                        read,
                        wait -> service == null
                                ? streams.awaitChange(
                                        new ChangeFilter.Wanted(null, null, Instance.KIND, null, null),
                                        request.caller(),
                                        wait,
                                        request.gone())
                                : streams.awaitChange(Instance.unit(service), wait, request.gone())));
    }

    private Future<Response> ofService(Request request, Function<Instance, ObjectNode> entry) {
        String service = request.parameter("service");
        request.caller().require(Right.READ, "", service);
        String passing = request.query("passing");
        boolean onlyPassing = passing != null && !passing.equals("false") && !passing.equals("0");
        String tag = request.query("tag");
        List<String> tags = tag == null ? List.of() : List.of(tag.split("\n", -1));
        return answered(
                request,
                service,
                () -> discovery
                        .instances(service, request.minRevision())
                        .map(instances -> shown(request, instances, list -> {
                            instances.list().stream()
                                    .filter(i -> ConsulService.hasTags(i, tags))
                                    .filter(i -> !onlyPassing || i.status() == Status.HEALTHY)
                                    .forEach(i -> list.add(entry.apply(i)));
                        })));
    }

    private Shown shown(Request request, Instances of, Consumer<ArrayNode> fill) {
        return queries.json(
                request,
                of.snapshot().lastChange(),
                of.snapshot().isOutdated(),
                of.list().size(),
                () -> {
                    ArrayNode list = Json.object().arrayNode();
                    fill.accept(list);
                    return list;
                });
    }

    private ObjectNode node() {
        ObjectNode node = Json.object();
        node.put("ID", nodeId.toString());
        node.put("Node", NODE);
        node.put("Address", options.address());
        node.put("Datacenter", options.datacenter());
        node.putObject("TaggedAddresses").put("lan", options.address()).put("wan", options.address());
        node.putObject("Meta");
        node.put("CreateIndex", 1);
        return node.put("ModifyIndex", 1);
    }

    private ObjectNode healthEntry(Instance instance) {
        ObjectNode entry = Json.object();
        entry.set("Node", node());
        entry.set("Service", ConsulService.json(instance, instance.resource().revision()));
        ArrayNode checks = entry.putArray("Checks");
        ObjectNode serf = checks.addObject();
        serf.put("Node", NODE);
        serf.put("CheckID", "serfHealth");
        serf.put("Name", "Serf Health Status");
        serf.put("Status", ConsulChecks.PASSING);
        serf.put("Notes", "");
        serf.put("Output", "Agent alive and reachable");
        serf.put("ServiceID", "");
        serf.put("ServiceName", "");
        serf.putArray("ServiceTags");
        serf.put("Type", "");
        serf.putObject("Definition");
        serf.put("CreateIndex", 1);
        serf.put("ModifyIndex", 1);
        ConsulChecks.shown(instance, NODE).forEach(checks::add);
        return entry;
    }

    private ObjectNode catalogEntry(Instance instance) {
        ObjectNode of = ConsulService.json(instance, instance.resource().revision());
        ObjectNode entry = node();
        entry.set("NodeMeta", entry.remove("Meta"));
        entry.put("Address", ConsulService.host(URI.create(instance.url())));
        for (String name : List.of("ID", "Tags", "Address", "Port", "Meta", "Weights", "TaggedAddresses")) {
            entry.set("Service" + name, of.get(name));
        }
        entry.put("ServiceName", instance.serviceName());
        entry.set("ServiceEnableTagOverride", of.get("EnableTagOverride"));
        entry.set("CreateIndex", of.get("CreateIndex"));
        entry.set("ModifyIndex", of.get("ModifyIndex"));
        return entry;
    }

    private Future<Response> services(Request request) {
        return answered(
                request,
                null,
                () -> visible(request)
                        .map(services -> all(request, services, () -> {
                            ObjectNode names = Json.object();
                            names.putArray("consul");
                            for (Instances service : services) {
                                TreeSet<String> tags = new TreeSet<>();
                                service.list()
                                        .forEach(i -> ConsulService.tags(i).forEach(tag -> tags.add(tag.asText())));
                                if (!service.list().isEmpty()) {
                                    names.set(service.serviceName(), Json.tree(tags));
                                }
                            }
                            return names;
                        })));
    }

    private Future<List<Instances>> visible(Request request) {
        return discovery.visible(request.caller(), null, request.minRevision());
    }

    private Shown all(Request request, List<Instances> services, Supplier<JsonNode> body) {
        long last = feed.lastEmptied(Instance.KIND);
        boolean outdated = false;
        int instances = 0;
        for (Instances service : services) {
            instances += service.list().size();
            last = Math.max(last, service.snapshot().lastChange());
            outdated |= service.snapshot().isOutdated();
        }
        return queries.json(request, last, outdated, instances, body);
    }

    private Future<Response> checksOfService(Request request) {
        String service = request.parameter("service");
        request.caller().require(Right.READ, "", service);
        return answered(
                request,
                service,
                () -> discovery
                        .instances(service, request.minRevision())
                        .map(instances -> shown(
                                request,
                                instances,
                                checks -> instances
                                        .list()
                                        .forEach(
                                                i -> ConsulChecks.shown(i, NODE).forEach(checks::add)))));
    }

    private Future<Response> checksInState(Request request) {
        String state = request.parameter("state");
        if (!List.of("any", ConsulChecks.PASSING, ConsulChecks.WARNING, ConsulChecks.CRITICAL)
                .contains(state)) {
            throw ServiceException.invalid("state", "must be any, passing, warning or critical");
        }
        return answered(
                request,
                null,
                () -> visible(request)
                        .map(services -> all(request, services, () -> {
                            ArrayNode checks = Json.object().arrayNode();
                            each(
                                    services,
                                    i -> ConsulChecks.shown(i, NODE).forEach(check -> {
                                        if (state.equals("any")
                                                || check.get("Status").asText().equals(state)) {
                                            checks.add(check);
                                        }
                                    }));
                            return checks;
                        })));
    }

    private static void each(List<Instances> services, Consumer<Instance> action) {
        services.forEach(service -> service.list().forEach(action));
    }

    private Future<Response> agentServices(Request request) {
        return answered(
                request,
                null,
                () -> visible(request)
                        .map(services -> all(request, services, () -> {
                            ObjectNode byId = Json.object();
                            each(
                                    services,
                                    i -> byId.set(
                                            i.instanceId(),
                                            ConsulService.json(i, i.resource().revision())));
                            return byId;
                        })));
    }

    private Future<Response> agentChecks(Request request) {
        return answered(
                request,
                null,
                () -> visible(request)
                        .map(services -> all(request, services, () -> {
                            ObjectNode byId = Json.object();
                            each(
                                    services,
                                    i -> ConsulChecks.shown(i, NODE)
                                            .forEach(check -> byId.set(
                                                    check.get("CheckID").asText(), check)));
                            return byId;
                        })));
    }

    private ObjectNode self() {
        ObjectNode self = Json.object();
        self.putObject("Config")
                .put("Datacenter", options.datacenter())
                .put("NodeName", NODE)
                .put("NodeID", nodeId.toString())
                .put("Server", true)
                .put("Version", "1.21.0");
        self.putObject("DebugConfig").put("Datacenter", options.datacenter());
        self.putObject("Member")
                .put("Name", NODE)
                .put("Addr", options.address())
                .put("Status", 1);
        self.putObject("Meta");
        return self;
    }
}
