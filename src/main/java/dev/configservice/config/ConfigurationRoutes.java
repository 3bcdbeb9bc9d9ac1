package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.events.audit.SecretReads;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Resource;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.sqlclient.Tuple;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The routes of configurations. */
public final class ConfigurationRoutes implements Routes {
    private static final Pattern KEY_FORM = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}");
    private static final StringRule KEY = text -> {
        if (!KEY_FORM.matcher(text).matches()) {
            return "must be 1 to 255 of A-Z a-z 0-9 . _ : - and start with a letter, a digit or _";
        }
        return Ids.isId(text) ? "may not look like a UUID" : null;
    };
    /** Empty asks for the shared ones. */
    private static final StringRule NAME_OR_NONE = text -> text.isEmpty() ? null : StringRule.NAME.problem(text);

    private static final StringRule DESCRIPTION = StringRule.text(0, 2000);
    private static final int MAX_BULK = 500;

    private static final String LIST = """
            select kind, id, environment, service_name, name, version, revision, fence, row::text as row, sealed
            from resources
            where kind = 'configuration'
              and ($1::text is null or environment = $1)
              and ($2::text is null or service_name = $2)
              and ($3::text is null or starts_with(name, $3))
              and ($4::text is null or position(lower($4) in lower(name)) > 0
                   or position(lower($4) in lower(coalesce(row ->> 'description', ''))) > 0)
              and ($5::boolean is null or (sealed is not null) = $5)
              and (name, environment, service_name) > ($6, $7, $8)
              and ($9::text[] is null or exists (
                    select from unnest($9) p where environment = p or (right(p, 1) = '*'
                        and starts_with(environment, left(p, -1)))))
              and ($10::text[] is null or service_name = '' or exists (
                    select from unnest($10) p where service_name = p or (right(p, 1) = '*'
                        and starts_with(service_name, left(p, -1)))))
            order by name, environment, service_name
            limit $11""";

    private final SnapshotCache cache;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;
    private final Keyring keyring;
    private final String defaultEnvironment;
    private final ConfigurationFace face;
    private final ResourceRoutes shared;

    public ConfigurationRoutes(
            SnapshotCache cache,
            Resources resources,
            ChangeBus bus,
            Ids ids,
            Keyring keyring,
            SecretReads secretReads,
            String defaultEnvironment) {
        this.cache = cache;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
        this.keyring = keyring;
        this.defaultEnvironment = defaultEnvironment;
        this.face = new ConfigurationFace(keyring, secretReads);
        this.shared = new ResourceRoutes(face, resources, bus, ids);
    }

    @Override
    public void mount(Table table) {
        table.coreRoute("POST", "/config", Right.CONFIG_WRITE, Map.of(), this::create);
        table.coreRoute(
                "GET",
                "/config",
                Right.READ,
                Map.of(
                        "environment",
                        StringRule.NAME,
                        "service_name",
                        NAME_OR_NONE,
                        "prefix",
                        StringRule.ANY,
                        "q",
                        StringRule.ANY,
                        "is_encrypted",
                        StringRule.BOOLEAN,
                        Page.LIMIT,
                        Page.SIZE,
                        Page.TOKEN,
                        StringRule.ANY),
                this::list);
        table.route("POST", "/config/bulk", null, Map.of(), this::bulk);
        table.route(
                "GET",
                "/config/service/:service",
                Right.READ,
                Map.of("environment", StringRule.NAME, "format", FlatDocument.FORMAT),
                this::ofService);
        table.route(
                "GET",
                "/config/:id",
                null,
                Map.of(
                        "environment",
                        StringRule.NAME,
                        "service_name",
                        StringRule.NAME,
                        "is_encrypted",
                        StringRule.BOOLEAN),
                this::get);
        table.coreRoute("PUT", "/config/:id", Right.CONFIG_WRITE, Map.of(), this::update);
        shared.mount(table);
    }

    private Future<Response> create(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String key = form.required("key", KEY);
        String environment = form.required("environment", StringRule.NAME);
        String serviceName = form.text("service_name", StringRule.NAME);
        String description = form.text("description", DESCRIPTION);
        Boolean encrypted = form.bool("is_encrypted");
        String comment = form.text("comment", ResourceRoutes.COMMENT);
        JsonNode value = requiredValue(form);
        form.done();
        String service = serviceName == null ? "" : serviceName;
        request.caller().requireWrite(Right.CONFIG_WRITE, environment, service);

        UUID id = ids.next();
        ObjectNode content = Json.object();
        Sealed sealed = Sealed.NONE;
        if (Boolean.TRUE.equals(encrypted)) {
            Keyring.Parcel parcel = keyring.seal(id.toString(), Json.bytes(value));
            sealed = parcel.sealed();
            content.put(ConfigurationKind.COMMITMENT, parcel.commitment());
        } else {
            content.set(ConfigurationKind.VALUE, value);
        }
        content.put(ConfigurationKind.ENCRYPTED, Boolean.TRUE.equals(encrypted));
        content.put(ConfigurationKind.DESCRIPTION, description);
        return bus.write(new Command.Create(
                        id,
                        ConfigurationKind.KIND,
                        id.toString(),
                        environment,
                        service,
                        key,
                        Json.write(content),
                        sealed,
                        request.origin(comment)))
                .map(result -> shared.written(201, result, request));
    }

    /** The value; JSON null where it is wrong, which the form says. */
    private static JsonNode requiredValue(FieldReader form) {
        int before = form.errors().size();
        JsonNode value = form.value("value");
        if (value == null && form.errors().size() == before) {
            form.error("value", form.has("value") ? "may not be null" : "is required");
        }
        return value == null ? NullNode.getInstance() : value;
    }

    private Future<Response> update(Request request) {
        ObjectNode body = request.object();
        return shared.forWrite(request).compose(found -> {
            Resource current = found.present();
            FieldReader form = FieldReader.write(body);
            form.readOnly(
                    face.render(current, request.caller()),
                    "id",
                    "key",
                    "environment",
                    "service_name",
                    "version",
                    "revision",
                    "created_at",
                    "updated_at",
                    "created_by",
                    "updated_by");
            ObjectNode fields = Json.object();
            form.refuseNull("value");
            form.refuseNull("is_encrypted");
            JsonNode value = form.value("value");
            Boolean encrypted = form.bool("is_encrypted");
            if (form.has("description")) {
                fields.put(ConfigurationKind.DESCRIPTION, form.text("description", DESCRIPTION));
            }
            String comment = form.text("comment", ResourceRoutes.COMMENT);
            form.done();
            if (encrypted != null && (value != null || encrypted != current.isSealed())) {
                fields.put(ConfigurationKind.ENCRYPTED, encrypted);
            }
            boolean will = encrypted == null ? current.isSealed() : encrypted;
            Sealed sealed = Sealed.NONE;
            if (value != null && will) {
                Keyring.Parcel parcel = keyring.seal(current.id(), Json.bytes(value));
                fields.put(ConfigurationKind.COMMITMENT, parcel.commitment());
                sealed = parcel.sealed();
            } else if (value != null) {
                fields.set(ConfigurationKind.VALUE, value);
            } else if (current.isSealed() && !will) {
                request.caller().require(Right.SECRETS_READ, current.environment(), current.serviceName());
            }
            boolean revealed = !current.isSealed() && will;
            Origin origin = request.origin(comment);
            return bus.write(new Command.Update(
                            ids.next(),
                            ConfigurationKind.KIND,
                            current.id(),
                            Json.write(fields),
                            sealed,
                            request.ifMatch(),
                            Action.UPDATED,
                            null,
                            origin))
                    .map(result -> {
                        Response answer = shared.written(200, result, request);
                        return revealed
                                ? answer.header(
                                        "Warning",
                                        "299 config-service \"earlier versions of this value stay readable in its"
                                                + " history\"")
                                : answer;
                    });
        });
    }

    private Future<Response> get(Request request) {
        String key = request.parameter("id");
        if (Ids.isId(key)) {
            return shared.get(request);
        }
        String environment = environment(request);
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        return Futures.map(layers(environment, service, request.minRevision()), layers -> {
            ConfigurationLayer.Entry entry = layers.get(key);
            if (entry == null || (encrypted != null && encrypted != entry.isSealed())) {
                request.caller().require(Right.READ, environment, service == null ? "" : service);
                throw ServiceException.notFound("There is no configuration '" + shown(key) + "' in environment '"
                        + environment + "'" + (service == null ? "" : " that service '" + service + "' sees"));
            }
            if (!entry.isSealed() && !request.caller().has(Right.AUDIT_READ)) {
                // what anyone may see is kept ready
                request.caller().require(Right.READ, environment, service == null || entry.isShared() ? "" : service);
                return layers.stamp(entry.ready());
            }
            return layers.stamp(shared.read(entry.resource(), request));
        });
    }

    private static String shown(String key) {
        return KEY.problem(key) == null ? key : "(not a key)";
    }

    private String environment(Request request) {
        String environment = request.query("environment");
        return environment == null ? defaultEnvironment : environment;
    }

    private Future<Response> ofService(Request request) {
        String service = request.parameter("service");
        if (StringRule.NAME.problem(service) != null) {
            throw ServiceException.invalid("service_name", String.valueOf(StringRule.NAME.problem(service)));
        }
        String environment = environment(request);
        String format = request.query("format");
        FlatDocument document = format == null ? null : FlatDocument.of(format);
        Caller caller = request.caller();
        caller.require(Right.READ, environment, service);
        return Futures.map(layers(environment, service, request.minRevision()), layers -> {
            if (document == null && !caller.has(Right.AUDIT_READ) && !caller.has(Right.SECRETS_READ)) {
                return layers.stamp(layers.ready());
            }
            boolean secrets = false;
            boolean masked = false;
            ArrayNode all = Json.object().arrayNode();
            ObjectNode flat = Json.object();
            for (ConfigurationLayer.Entry entry : layers.merged().entries()) {
                Resource r = entry.resource();
                boolean hidden = face.isMasked(r, caller);
                masked |= hidden;
                secrets |= r.isSealed() && !hidden;
                face.wasRead(r, request);
                ObjectNode shown = face.render(r, caller);
                all.add(shown);
                if (!hidden) {
                    flat.set(r.name(), shown.get("value"));
                }
            }
            Response answer = document == null
                    ? Response.json(200, all)
                    : Response.text(document.contentType(), document.write(flat));
            return layers.stamp(
                    answer.tagged(layers.lastChange() + (masked ? "-m" : "")).asSecret(secrets));
        });
    }

    private Future<Response> list(Request request) {
        String environment = request.query("environment");
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        Page page = Page.of(request, 3);
        Caller caller = request.caller();
        long lastChange = resources.lastChange(ConfigurationKind.KIND, environment, service);
        Tuple arguments = Tuple.tuple()
                .addString(environment)
                .addString(service)
                .addString(request.query("prefix"))
                .addString(request.query("q"))
                .addBoolean(encrypted)
                .addString(page.isFirst() ? "" : page.after().get(0))
                .addString(page.isFirst() ? "" : page.after().get(1))
                .addString(page.isFirst() ? "" : page.after().get(2))
                .addArrayOfString(patterns(caller.environments().patterns()))
                .addArrayOfString(patterns(caller.serviceNames().patterns()))
                .addInteger(page.limit() + 1);
        return resources
                .list(LIST, arguments)
                .map(found -> page.answer(
                                request,
                                found,
                                r -> {
                                    face.wasRead(r, request);
                                    return face.render(r, caller);
                                },
                                r -> List.of(r.name(), r.environment(), r.serviceName()))
                        .tagged(lastChange + (found.stream().anyMatch(r -> face.isMasked(r, caller)) ? "-m" : ""))
                        .asSecret(found.stream().anyMatch(r -> r.isSealed() && !face.isMasked(r, caller))));
    }

    private static String @Nullable [] patterns(List<String> patterns) {
        return patterns.isEmpty() ? null : patterns.toArray(String[]::new);
    }

    private Future<Response> bulk(Request request) {
        FieldReader form = FieldReader.read(request.object());
        String environment = form.required("environment", StringRule.NAME);
        String service = form.text("service_name", StringRule.NAME);
        List<String> keys = form.texts("keys", KEY, MAX_BULK);
        if (!form.has("keys")) {
            form.error("keys", "is required");
        }
        form.done();
        List<String> wanted = keys == null ? List.of() : keys;
        Caller caller = request.caller();
        caller.require(Right.READ, environment, service == null ? "" : service);
        return Futures.map(layers(environment, service, request.minRevision()), layers -> {
            ObjectNode body = Json.object();
            ObjectNode items = body.putObject("items");
            ArrayNode missing = body.putArray("missing");
            boolean secrets = false;
            for (String key : wanted) {
                ConfigurationLayer.Entry entry = layers.get(key);
                if (entry == null) {
                    missing.add(key);
                } else {
                    secrets |= entry.resource().isSealed() && !face.isMasked(entry.resource(), caller);
                    face.wasRead(entry.resource(), request);
                    items.set(key, face.render(entry.resource(), caller));
                }
            }
            return layers.stamp(Response.json(200, body).asSecret(secrets));
        });
    }

    /** What a service sees: its own layer over the shared one. */
    private record Layers(@Nullable Snapshot own, Snapshot common) {
        ConfigurationLayer.@Nullable Entry get(String key) {
            ConfigurationLayer.Entry entry =
                    own == null ? null : ConfigurationLayer.of(own).get(key);
            return entry == null ? ConfigurationLayer.of(common).get(key) : entry;
        }

        ConfigurationLayer.Merged merged() {
            ConfigurationLayer shared = ConfigurationLayer.of(common);
            ConfigurationLayer layer = own == null ? shared : ConfigurationLayer.of(own);
            // what a service without a layer of its own sees is kept with the shared one: one for all such services
            return layer.isEmpty() ? shared.over(shared) : layer.over(shared);
        }

        /** All of it as anyone may see it. */
        Response ready() {
            ConfigurationLayer.Merged merged = merged();
            return Response.ready(Response.JSON, merged.json()).tagged(lastChange() + (merged.anySealed() ? "-m" : ""));
        }

        long lastChange() {
            return Math.max(common.lastChange(), own == null ? 0 : own.lastChange());
        }

        Response stamp(Response answer) {
            long asOf = Math.min(
                    common.asOf().revision(),
                    own == null ? Long.MAX_VALUE : own.asOf().revision());
            return answer.asOf(asOf, common.isOutdated() || (own != null && own.isOutdated()));
        }
    }

    private Future<Layers> layers(String environment, @Nullable String service, long minRevision) {
        Future<Snapshot> common = cache.get(ConfigurationLayer.unit(environment, ""), minRevision);
        if (service == null) {
            return Futures.map(common, c -> new Layers(null, c));
        }
        Future<Snapshot> own = cache.get(ConfigurationLayer.unit(environment, service), minRevision);
        return Futures.then(own, o -> Futures.map(common, c -> new Layers(o, Objects.requireNonNull(c))));
    }
}
