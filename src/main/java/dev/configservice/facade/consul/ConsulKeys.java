package dev.configservice.facade.consul;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.config.ConfigurationKind;
import dev.configservice.config.Configurations;
import dev.configservice.config.VisibleConfiguration;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.events.ChangeFilter;
import dev.configservice.events.stream.ChangeStreams;
import dev.configservice.facade.consul.ConsulQueries.Query;
import dev.configservice.facade.consul.ConsulQueries.Shown;
import dev.configservice.facade.consul.KeyPaths.Place;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.UnitId;
import dev.configservice.resource.PathWrites;
import dev.configservice.resource.Precondition;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The keys and values of Consul: a window on the configurations, without a store of its own. */
public final class ConsulKeys implements Routes {
    private static final int MAX_VALUE_BYTES = 512 * 1024;
    /** The bounds of what one request can show or delete. */
    private static final int MAX_LAYERS = 1000;

    /** The size of several layers that are shown at once, as they are in memory. */
    private static final long MAX_BYTES = 16L << 20;

    private static final int MAX_DELETED = 500;
    /** The size from which an answer takes too long for an event loop. */
    private static final int LARGE = 500;

    private static final long LARGE_BYTES = 256 * 1024;

    private final Configurations configurations;
    private final ConfigurationKind kind;
    private final PathWrites writes;
    private final ChangeStreams streams;
    private final ChangeFeed feed;
    private final KeyPaths paths;

    /**
     * Creates the routes over the configurations of a node.
     *
     * @param baseEnvironment the environment of a service for which none is named
     * @param otherEnvironment the environment of the keys that are not below {@code config/}
     */
    public ConsulKeys(
            Configurations configurations,
            ConfigurationKind kind,
            PathWrites writes,
            ChangeStreams streams,
            ChangeFeed feed,
            String baseEnvironment,
            String otherEnvironment) {
        this.configurations = configurations;
        this.kind = kind;
        this.writes = writes;
        this.streams = streams;
        this.feed = feed;
        this.paths = new KeyPaths(baseEnvironment, otherEnvironment);
    }

    @Override
    public List<Route> routes() {
        return List.of(
                ConsulDialect.route("GET", "/kv/*rest", this::read).needs(Right.READ),
                ConsulDialect.route("PUT", "/kv/*rest", this::put)
                        .needs(Right.CONFIG_WRITE)
                        .onLog(),
                ConsulDialect.route("DELETE", "/kv/*rest", this::delete)
                        .needs(Right.CONFIG_WRITE)
                        .onLog());
    }

    // reads

    /** The layer of a place, as of now. */
    private record Part(Place place, Configurations.Layer layer) {
        private boolean isLarge() {
            return layer.size() > LARGE || layer.bytes() > LARGE_BYTES;
        }
    }

    private Future<Response> read(Request request) {
        String key = request.parameter("rest");
        boolean isOne = request.query("recurse") == null && request.query("keys") == null;
        if (!isOne && paths.isOfSeveral(key)) {
            return ConsulQueries.answered(
                    request,
                    new Query(
                            () -> parts(request, key)
                                    .map(parts -> shown(request, parts, feed.lastEmptied(kind.name()))),
                            wait -> streams.awaitChange(
                                    new ChangeFilter.Wanted(null, null, kind.name(), null, null),
                                    request.caller(),
                                    wait,
                                    request.gone())));
        }
        Place place = paths.place(key);
        if (place == null) {
            return new Shown(feed.applied().revision(), () -> Future.succeededFuture(Response.empty(404)), false)
                    .answer();
        }
        request.caller().require(Right.READ, place.environment(), place.service());
        return ConsulQueries.answered(
                request,
                new Query(
                        () -> part(request, place).map(part -> shown(request, List.of(part), 0)),
                        wait -> streams.awaitChange(place.layer(), wait, request.gone())));
    }

    private Future<Part> part(Request request, Place place) {
        return Futures.map(
                configurations.layer(place.environment(), place.service(), request.minRevision()),
                layer -> new Part(place, layer));
    }

    /** Returns all layers in the reach of a caller that may hold keys with a prefix. */
    private Future<List<Part>> parts(Request request, String prefix) {
        List<Place> places = new ArrayList<>();
        for (ChangeFeed.TouchedUnit touched : feed.touchedUnits()) {
            UnitId unit = touched.unit();
            Place place = unit.kind().equals(kind.name()) ? paths.within(unit, prefix) : null;
            if (place != null && request.caller().may(Right.READ, unit.environment(), unit.serviceName())) {
                places.add(place);
            }
            if (places.size() > MAX_LAYERS) {
                throw tooMuch();
            }
        }
        if (places.isEmpty()) {
            return Future.succeededFuture(List.of());
        }
        return configurations
                .layers(
                        places.stream().map(Place::layer).toList(),
                        request.minRevision(),
                        places.size() > 1 ? MAX_BYTES : Long.MAX_VALUE,
                        ConsulKeys::tooMuch)
                .map(layers -> {
                    List<Part> parts = new ArrayList<>(layers.size());
                    for (int i = 0; i < layers.size(); i++) {
                        parts.add(new Part(places.get(i), layers.get(i)));
                    }
                    return parts;
                });
    }

    private static ServiceException tooMuch() {
        return ServiceException.invalid("key", "must be longer: too much begins with it to be shown at once");
    }

    private Shown shown(Request request, List<Part> parts, long lastEmptied) {
        long index = lastEmptied;
        boolean outdated = false;
        boolean large = parts.size() > LARGE;
        for (Part part : parts) {
            index = Math.max(index, part.layer().lastChange());
            outdated |= part.layer().isOutdated();
            large |= part.isLarge();
        }
        boolean isLarge = large && request.query("recurse") != null;
        return new Shown(
                index,
                () -> isLarge
                        ? configurations.whenItsTurn(() -> response(request, parts))
                        : Future.succeededFuture(response(request, parts)),
                outdated);
    }

    private Response response(Request request, List<Part> parts) {
        if (request.query("keys") != null) {
            return names(request, parts);
        }
        TreeMap<String, VisibleConfiguration> found = new TreeMap<>();
        if (request.query("recurse") != null) {
            each(parts, found::put);
        } else {
            Part part = parts.get(0);
            VisibleConfiguration one = part.layer().get(part.place().key());
            if (one != null) {
                found.put(request.parameter("rest"), one);
            }
        }
        ArrayNode entries = Json.object().arrayNode();
        boolean secrets = false;
        for (var entry : found.entrySet()) {
            byte[] value = value(entry.getValue(), request);
            secrets |= value != null && entry.getValue().isSealed();
            if (value != null && request.query("raw") != null) {
                return new Response(
                                200,
                                "application/octet-stream",
                                Buffer.buffer(value),
                                0,
                                null,
                                secrets,
                                false,
                                false,
                                List.of())
                        .header("X-Content-Type-Options", "nosniff");
            }
            if (value != null) {
                entries.add(entry(entry.getKey(), entry.getValue().revision(), value));
            }
        }
        return entries.isEmpty()
                ? Response.empty(404)
                : Response.json(200, entries).asSecret(secrets);
    }

    /** Something that is done with a configuration, and its key in Consul. */
    @FunctionalInterface
    private interface Action {
        void on(String key, VisibleConfiguration configuration);
    }

    private static void each(List<Part> parts, Action action) {
        for (Part part : parts) {
            for (VisibleConfiguration c : part.layer().all()) {
                String shown = part.place().shown(c.key());
                if (c.key().startsWith(part.place().key())
                        && (!part.place().before().isEmpty() || KeyPaths.isReachable(shown))) {
                    action.on(shown, c);
                }
            }
        }
    }

    private Response names(Request request, List<Part> parts) {
        String prefix = request.parameter("rest");
        String given = request.query("separator");
        String separator = given == null ? "" : given;
        TreeSet<String> names = new TreeSet<>();
        each(parts, (key, configuration) -> {
            if (!kind.isMasked(configuration.resource(), request.caller())) {
                int end = separator.isEmpty() ? -1 : key.indexOf(separator, prefix.length());
                names.add(end < 0 ? key : key.substring(0, end + separator.length()));
            }
        });
        return names.isEmpty() ? Response.empty(404) : Response.json(200, Json.tree(names));
    }

    /** Returns the bytes of a value; null if the caller may not see it. */
    private byte @Nullable [] value(VisibleConfiguration configuration, Request request) {
        JsonNode value = configuration.isSealed()
                ? kind.reveal(configuration.resource(), request.caller(), request.id())
                : configuration.value();
        return value == null
                ? null
                : value.isTextual() ? value.textValue().getBytes(StandardCharsets.UTF_8) : Json.bytes(value);
    }

    private static ObjectNode entry(String key, long revision, byte[] value) {
        return Json.object()
                .put("LockIndex", 0)
                .put("Key", key)
                .put("Flags", 0)
                .put("Value", Base64.getEncoder().encodeToString(value))
                .put("CreateIndex", revision)
                .put("ModifyIndex", revision);
    }

    // writes

    private static Response done(boolean isDone) {
        return Response.json(200, BooleanNode.valueOf(isDone));
    }

    private Future<Response> put(Request request) {
        String key = request.parameter("rest");
        String flags = request.query("flags");
        if (flags != null && !flags.matches("0*")) {
            throw ServiceException.invalid("flags", "must be 0");
        }
        refuseLocks(request);
        String value = text(request.body());
        if (key.endsWith("/")) {
            // a folder: there is no such thing here, and nobody misses it
            return Future.succeededFuture(done(true));
        }
        PathWrites.Path path = path(key);
        ObjectNode body = Json.object().put("value", value);
        return writes.put(path, body, precondition(request), new PathWrites.By(request.caller(), request::origin))
                .map(written -> done(true).wrote(written.result().revision()))
                .recover(ConsulKeys::refused);
    }

    /** Answers false to a write that found something else than it required. */
    private static Future<Response> refused(Throwable e) {
        return e instanceof ServiceException s && s.code() == ErrorCode.PRECONDITION_FAILED
                ? Future.succeededFuture(done(false))
                : Future.failedFuture(e);
    }

    private static void refuseLocks(Request request) {
        for (String lock : List.of("acquire", "release")) {
            if (request.query(lock) != null) {
                throw ServiceException.invalid(lock, "is not supported: there are no sessions");
            }
        }
    }

    private static String text(Buffer body) {
        if (body.length() > MAX_VALUE_BYTES) {
            throw new ServiceException(ErrorCode.TOO_LARGE, "Value exceeds " + MAX_VALUE_BYTES + " byte limit");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body.getBytes()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw ServiceException.invalid("value", "must be UTF-8");
        }
    }

    private PathWrites.Path path(String key) {
        Place place = paths.place(key);
        if (place == null || place.key().isEmpty()) {
            throw ServiceException.invalid(
                    "key", "must be config/<service>[,<environment>]/<key>, or outside of config/ and without a colon");
        }
        return new PathWrites.Path(kind, place.environment(), place.service(), place.key());
    }

    private static Precondition precondition(Request request) {
        String cas = request.query("cas");
        if (cas == null) {
            return Precondition.NONE;
        }
        if (!cas.matches("\\d{1,18}")) {
            throw ServiceException.invalid("cas", "must be a whole number");
        }
        long revision = Long.parseLong(cas);
        return revision == 0 ? Precondition.ABSENT : Precondition.revision(revision);
    }

    private Future<Response> delete(Request request) {
        refuseLocks(request);
        String key = request.parameter("rest");
        if (request.query("recurse") != null) {
            return deleteAll(request, key);
        }
        Place place = paths.place(key);
        if (place == null) {
            return Future.succeededFuture(done(true));
        }
        return delete(request, place, place.key(), precondition(request))
                .map(revision -> revision == 0 ? done(true) : done(true).wrote(revision))
                .recover(ConsulKeys::refused);
    }

    /** Deletes a configuration. Returns the revision of the deletion; 0 if it was not there. */
    private Future<Long> delete(Request request, Place place, String key, Precondition precondition) {
        PathWrites.Path path = new PathWrites.Path(kind, place.environment(), place.service(), key);
        return writes.delete(path, precondition, new PathWrites.By(request.caller(), request::origin))
                .map(result -> result.revision())
                .recover(e -> e instanceof ServiceException s && s.code() == ErrorCode.NOT_FOUND
                        ? Future.succeededFuture(0L)
                        : Future.failedFuture(e));
    }

    private Future<Response> deleteAll(Request request, String prefix) {
        Place place = paths.place(prefix);
        if (place == null) {
            throw ServiceException.invalid("key", "must be longer: this would delete from many services at once");
        }
        if (request.query("cas") != null) {
            throw ServiceException.invalid("cas", "may not be given with recurse");
        }
        kind.requireWrite(request.caller(), place.environment(), place.service());
        return part(request, place).compose(part -> {
            List<String> keys = new ArrayList<>();
            each(List.of(part), (shown, configuration) -> keys.add(configuration.key()));
            if (keys.size() > MAX_DELETED) {
                throw ServiceException.invalid("key", "must be longer: more than " + MAX_DELETED + " begin with it");
            }
            List<Future<Long>> deleted = keys.stream()
                    .map(key -> delete(request, place, key, Precondition.NONE))
                    .toList();
            return Future.join(deleted).map(v -> {
                long last = deleted.stream().mapToLong(Future::result).max().orElse(0);
                return last == 0 ? done(true) : done(true).wrote(last);
            });
        });
    }
}
