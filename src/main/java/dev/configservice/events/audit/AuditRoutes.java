package dev.configservice.events.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.events.ChangeEvents;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.secret.Sha256;
import io.vertx.core.Future;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The routes of the audit trail. They show who changed what, when and why, and verify that the log was not altered
 * after it was written.
 */
public final class AuditRoutes implements Routes {
    /** The resource type for reads of secrets, which are not changes. */
    private static final String SECRET_READ = "secret_read";

    /** The resource type for refused requests, which are not changes either. */
    private static final String ACCESS_DENIED = "access_denied";

    private static final long MAX_REVISION = 999_999_999_999_999_999L;
    private static final StringRule REVISION = StringRule.number(1, MAX_REVISION);
    private static final StringRule HASH =
            StringRule.pattern("[0-9a-f]{64}", "must be a hash: 64 lower-case hexadecimal digits");
    private static final StringRule TEXT = StringRule.text(1, 300);

    private final AuditLog audit;
    private final Verifier verifier;
    private final ChangeFeed feed;
    private final InstantSource clock;
    private final ChangeEvents events;

    public AuditRoutes(AuditLog audit, Verifier verifier, ChangeFeed feed, InstantSource clock, ChangeEvents events) {
        this.audit = audit;
        this.verifier = verifier;
        this.feed = feed;
        this.clock = clock;
        this.events = events;
    }

    @Override
    public List<Route> routes() {
        List<String> types = new ArrayList<>(events.kinds().names());
        types.add(SECRET_READ);
        types.add(ACCESS_DENIED);
        return List.of(
                Route.api("GET", "/audit/verify", this::verify)
                        .needs(Right.AUDIT_READ)
                        .with(Map.of("from", REVISION, "to", REVISION, "hash", HASH))
                        .onLog(),
                Route.api("GET", "/audit/anchor", r -> Future.succeededFuture(anchor()))
                        .needs(Right.AUDIT_READ),
                Route.api("GET", "/audit", this::list)
                        .needs(Right.AUDIT_READ)
                        .with(Page.parameters(Map.ofEntries(
                                Map.entry("resource_type", StringRule.oneOf(types)),
                                Map.entry("resource_id", TEXT),
                                Map.entry("key", TEXT),
                                Map.entry("actor", TEXT),
                                Map.entry("actor_id", TEXT),
                                Map.entry("environment", StringRule.NAME),
                                Map.entry("service_name", StringRule.NAME),
                                Map.entry("since", StringRule.TIME),
                                Map.entry("until", StringRule.TIME))))
                        .onLog());
    }

    private Future<Response> list(Request request) {
        Page page = Page.of(request, 1);
        String type = request.query("resource_type");
        AuditLog.Wanted wanted = new AuditLog.Wanted(
                type,
                request.query("resource_id"),
                request.query("key"),
                request.query("actor"),
                request.query("actor_id"),
                request.query("environment"),
                request.query("service_name"),
                time(request, "since"),
                time(request, "until"),
                request.caller().environments(),
                request.caller().serviceNames());
        String before = page.isFirst() ? "" : page.after().get(0);
        if (SECRET_READ.equals(type) || ACCESS_DENIED.equals(type)) {
            if (!before.isEmpty() && !Ids.isId(before)) {
                throw Page.invalidToken();
            }
            Future<List<ObjectNode>> found = SECRET_READ.equals(type)
                    ? audit.secretReads(wanted, before, page.limit() + 1)
                    : audit.accessDenials(wanted, before, page.limit() + 1);
            return found.map(entries -> page.response(
                            request,
                            entries,
                            o -> o,
                            o -> List.of(o.get("event_id").textValue()))
                    .weaklyTagged(tag(
                            request,
                            entries.isEmpty()
                                    ? ""
                                    : entries.get(0).get("event_id").textValue())));
        }
        if (!before.isEmpty() && !before.matches("\\d{1,18}")) {
            throw ServiceException.invalid(Page.TOKEN, "is not a valid page token");
        }
        long below = before.isEmpty() ? Long.MAX_VALUE : Long.parseLong(before);
        return audit.changes(wanted, below, page.limit())
                .map(found -> page.response(
                                request,
                                found,
                                this::render,
                                e -> List.of(Long.toString(e.change().revision())))
                        .weaklyTagged(tag(
                                request,
                                found.items().isEmpty()
                                        ? ""
                                        : Long.toString(
                                                found.items().get(0).change().revision()))));
    }

    /** Returns the tag of a page: its last entry, and the request that it answers. */
    private static String tag(Request request, String last) {
        return Sha256.hex(new TreeMap<>(request.query()) + " " + last).substring(0, 16);
    }

    private ObjectNode render(AuditLog.Audited entry) {
        Change change = entry.change();
        Resource r = change.resource();
        ObjectNode o = Json.object();
        o.put("revision", change.revision());
        o.put("event_id", change.eventId().toString());
        o.put("resource_type", r.kind());
        o.put("resource_id", r.id());
        o.put("action", change.action().text());
        o.put("environment", r.environment().isEmpty() ? null : r.environment());
        o.put("service_name", r.serviceName().isEmpty() ? null : r.serviceName());
        o.set("actor", change.actor().toJson());
        o.put("request_id", change.requestId());
        o.put("comment", change.comment());
        o.put("occurred_at", Json.time(change.occurredAt()));
        SetMember set = change.set();
        o.set("change_set", set == null ? null : set.toJson());
        Resource before = entry.before();
        o.set("before", before == null ? null : events.audited(before));
        o.set("after", change.action().isRemoval() ? null : events.audited(r));
        return o;
    }

    private static @Nullable OffsetDateTime time(Request request, String name) {
        Instant at = request.time(name);
        return at == null ? null : at.atOffset(ZoneOffset.UTC);
    }

    private Future<Response> verify(Request request) {
        long from = request.number("from", 1);
        long to = request.number("to", MAX_REVISION);
        String hash = request.query("hash");
        if (to < from) {
            throw ServiceException.invalid("to", "must not be less than from");
        }
        if (hash != null && request.query("from") == null) {
            throw ServiceException.invalid("from", "is required with hash: the revision that had it");
        }
        return verifier.verify(from, to, hash, request.gone()).map(v -> {
            ObjectNode o = Json.object();
            o.put("verified", v.firstBreak() == null);
            o.put("from", v.from());
            o.put("to", v.to());
            if (v.firstBreak() != null) {
                o.put("first_break", v.firstBreak());
            }
            return Response.json(200, o);
        });
    }

    /** Returns the last link of the chain, for keeping elsewhere. */
    private Response anchor() {
        ChangeFeed.Head head = feed.head();
        return Response.json(
                200,
                Json.object()
                        .put("epoch", head.position().epoch())
                        .put("revision", head.position().revision())
                        .put("hash", head.hash().hex())
                        .put("at", Json.time(clock.instant())));
    }
}
