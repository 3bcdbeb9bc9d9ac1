package dev.configservice.events.stream;

import dev.configservice.access.Authenticator;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.events.ChangeEvent;
import dev.configservice.events.ChangeEvents;
import dev.configservice.events.ChangeFilter;
import dev.configservice.events.ServerSentEvents;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeReader;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import dev.configservice.settings.ChangesSettings;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The streams of this node. Each event loop has its own streams, and receives every change once. A change is encoded
 * once for all streams, and matched once for all streams with equal filters. A stream first reads the log from its
 * position. When it has every change that its event loop has received, it switches to the changes that the event loop
 * receives from then on, so that it misses none.
 */
public final class ChangeStreams {
    /** The number of pages of the log that one request reads, and the size of what it answers. */
    private static final int MAX_PAGES = 40;

    private static final long MAX_PAGE_BYTES = 4 << 20;
    private static final Logger log = LoggerFactory.getLogger(ChangeStreams.class);
    private static final Duration HEARTBEAT_EVERY = Duration.ofSeconds(15);
    private static final Duration CHECK_KEYS_EVERY = Duration.ofSeconds(5);
    private static final Duration DRAIN_DEADLINE = Duration.ofSeconds(30);
    private static final int BUFFER_BYTES = 256 * 1024;

    /** The time for which changes are gathered for clients that only need to know that something has changed. */
    static final Duration TOGETHER = Duration.ofMillis(50);

    private final Vertx vertx;
    private final ChangeBus bus;
    private final ChangeFeed feed;
    private final ChangeReader reader;
    private final ChangeEvents events;
    private final Authenticator access;
    private final ChangesSettings settings;
    private final InstantSource clock;
    private final Map<Thread, Loop> loops = new ConcurrentHashMap<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Counter dropped;
    private volatile boolean closing;

    public ChangeStreams(
            Vertx vertx,
            ChangeBus bus,
            ChangeFeed feed,
            ChangeReader reader,
            ChangeEvents events,
            Authenticator access,
            ChangesSettings settings,
            InstantSource clock,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.bus = bus;
        this.feed = feed;
        this.reader = reader;
        this.events = events;
        this.access = access;
        this.settings = settings;
        this.clock = clock;
        Gauge.builder("config_service_streams", open, AtomicInteger::get)
                .description("Streams that are open on this node")
                .register(meters);
        this.dropped = Counter.builder("config_service_streams_dropped")
                .description("Streams that were closed because their client read nothing for a while")
                .register(meters);
    }

    /** Starts to follow the feed. */
    public void start() {
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                bus.publish(change);
            }

            @Override
            public void reset(Position position) {
                loops.values().forEach(l -> l.context.runOnContext(v -> l.reset(position.revision())));
            }
        });
    }

    /** The streams and waiting requests of one event loop. Used only on that event loop. */
    private final class Loop {
        private final Context context;
        private final Map<ChangeFilter, Set<Stream>> live = new HashMap<>();
        private final Set<Stream> all = new LinkedHashSet<>();
        /** The requests that wait, by what they wait for: a filter, or a unit. */
        private final Map<Object, Set<Waiting>> waiting = new HashMap<>();

        private final Set<Stream> untold = new LinkedHashSet<>();
        private long heard;
        private long nextHeartbeat = System.nanoTime() + HEARTBEAT_EVERY.toNanos();
        private long nextKeyCheck = System.nanoTime() + CHECK_KEYS_EVERY.toNanos();

        Loop(Context context) {
            this.context = context;
        }

        void start() {
            // listen first, then read the position: a change in between may be received twice but is not missed
            bus.onChange(this::hear);
            heard = feed.applied().revision();
            vertx.setPeriodic(1000, t -> tick());
        }

        void hear(Change change) {
            if (change.revision() <= heard) {
                return;
            }
            heard = change.revision();
            if (!events.kinds().isPublic(change)) {
                return;
            }
            ChangeEvent event = null;
            for (Map.Entry<ChangeFilter, Set<Stream>> group : List.copyOf(live.entrySet())) {
                if (group.getKey().matches(change)) {
                    event = event == null ? events.of(change) : event;
                    ChangeEvent sent = event;
                    each(group.getValue(), stream -> stream.send(sent));
                }
            }
            wake(waiting.remove(change.resource().unit()));
            // woken requests may wait again at once
            for (Object wanted : List.copyOf(waiting.keySet())) {
                if (wanted instanceof ChangeFilter filter && filter.matches(change)) {
                    wake(waiting.remove(filter));
                }
            }
        }

        private void wake(@Nullable Set<Waiting> woken) {
            if (woken != null) {
                woken.forEach(w -> w.promise.tryComplete());
            }
        }

        /** Tells the client of a stream soon, together with others, that something has changed. */
        void tellSoon(Stream stream) {
            if (untold.isEmpty()) {
                vertx.setTimer(TOGETHER.toMillis(), t -> {
                    List<Stream> all = List.copyOf(untold);
                    untold.clear();
                    each(all, Stream::tell);
                });
            }
            untold.add(stream);
        }

        void reset(long revision) {
            heard = revision;
            each(all, stream -> stream.resync(revision));
            List<Set<Waiting>> woken = List.copyOf(waiting.values());
            waiting.clear();
            woken.forEach(this::wake);
        }

        void tick() {
            long now = System.nanoTime();
            List<Waiting> over = new ArrayList<>();
            waiting.values().removeIf(all -> {
                all.removeIf(w -> {
                    boolean isOver = now - w.untilNanos >= 0 || w.gone.getAsBoolean();
                    return isOver && over.add(w);
                });
                return all.isEmpty();
            });
            over.forEach(w -> w.promise.tryComplete());
            boolean heartbeat = now - nextHeartbeat >= 0;
            boolean checkKeys = now - nextKeyCheck >= 0;
            if (heartbeat) {
                nextHeartbeat = now + HEARTBEAT_EVERY.toNanos();
            }
            if (checkKeys) {
                nextKeyCheck = now + CHECK_KEYS_EVERY.toNanos();
            }
            Instant wall = clock.instant();
            each(all, stream -> {
                Instant expires = stream.caller.expiresAt();
                if (closing || now - stream.endNanos >= 0 || (expires != null && !wall.isBefore(expires))) {
                    stream.end();
                    return;
                }
                if (checkKeys && stream.caller.keyHash() != null) {
                    access.holds(stream.caller).onSuccess(holds -> {
                        if (!holds) {
                            context.runOnContext(v -> stream.end());
                        }
                    });
                }
                if (heartbeat) {
                    stream.heartbeat();
                }
            });
        }

        /** Does something with each stream. One that fails is dropped: it must not keep the others from their changes. */
        private void each(Collection<Stream> streams, Consumer<Stream> action) {
            for (Stream stream : List.copyOf(streams)) {
                try {
                    action.accept(stream);
                } catch (RuntimeException e) {
                    log.warn("stream.failed", e);
                    stream.drop();
                }
            }
        }
    }

    /** A request that waits for a change, as long as its client is there. */
    private record Waiting(Promise<Void> promise, long untilNanos, BooleanSupplier gone) {}

    private Loop loop() {
        Context context = Objects.requireNonNull(Vertx.currentContext(), "not on an event loop");
        return loops.computeIfAbsent(Thread.currentThread(), t -> {
            Loop loop = new Loop(context);
            loop.start();
            return loop;
        });
    }

    /**
     * Completes when the filter matches a new change, after {@code atMost}, or soon after the client has left. Must be called
     * on an event loop. Fails with {@link ErrorCode#TOO_MANY} if as many requests wait as streams may be open.
     */
    Future<Void> firstMatch(ChangeFilter filter, Duration atMost, BooleanSupplier gone) {
        return await(filter, atMost, gone);
    }

    private Future<Void> await(Object wanted, Duration atMost, BooleanSupplier gone) {
        if (waiting.incrementAndGet() > settings.maxStreams()) {
            waiting.decrementAndGet();
            return Future.failedFuture(new ServiceException(
                    ErrorCode.TOO_MANY, "This node is at its limit of requests that wait (changes.max-streams)"));
        }
        Promise<Void> promise = Promise.promise();
        loop().waiting
                .computeIfAbsent(wanted, w -> new LinkedHashSet<>())
                .add(new Waiting(promise, System.nanoTime() + atMost.toNanos(), gone));
        return promise.future().onComplete(done -> waiting.decrementAndGet());
    }

    /** Does the same for the next change in a unit. A change elsewhere costs such a request nothing. */
    public Future<Void> awaitChange(UnitId unit, Duration atMost, BooleanSupplier gone) {
        return await(unit, atMost, gone);
    }

    /** Does the same for the changes that a caller wants and may see. */
    public Future<Void> awaitChange(ChangeFilter.Wanted wanted, Caller caller, Duration atMost, BooleanSupplier gone) {
        return firstMatch(ChangeFilter.of(events.kinds(), wanted, caller), atMost, gone);
    }

    /** Returns the number of streams that are open on this node. */
    public int count() {
        return open.get();
    }

    /**
     * Opens a stream. Must be called on the event loop of the response. Fails with {@link ErrorCode#TOO_MANY} if this node
     * has as many as it may.
     *
     * @param after the revision to continue after; null to start with the next change
     */
    public Future<Void> open(
            HttpServerResponse response,
            StreamForm form,
            ChangeFilter.Wanted wanted,
            Caller caller,
            @Nullable Long after) {
        ChangeFilter filter = ChangeFilter.of(events.kinds(), wanted, caller);
        if (closing) {
            return Future.failedFuture(ServiceException.unavailable("This node is shutting down"));
        }
        if (open.incrementAndGet() > settings.maxStreams()) {
            open.decrementAndGet();
            return Future.failedFuture(
                    new ServiceException(ErrorCode.TOO_MANY, "This node is at its stream limit (changes.max-streams)"));
        }
        Loop loop = loop();
        return Futures.here(position(after))
                .onFailure(e -> open.decrementAndGet())
                .compose(start -> {
                    new Stream(loop, response, form, filter, caller, start).begin(after != null && start.resync());
                    return Future.succeededFuture();
                });
    }

    /** The start of a stream. It is a {@code resync} if the log no longer has the requested position. */
    private record Start(long revision, boolean resync) {}

    private Future<Start> position(@Nullable Long after) {
        if (after == null) {
            return Future.succeededFuture(new Start(feed.applied().revision(), false));
        }
        return feed.awaitApplied(after, Duration.ofSeconds(2)).transform(done -> {
            if (done.failed()) {
                return Future.succeededFuture(new Start(feed.applied().revision(), true));
            }
            if (feed.recent().after(after, 1) != null) {
                return Future.succeededFuture(new Start(after, false));
            }
            return reader.oldest()
                    .map(oldest ->
                            after + 1 < oldest ? new Start(feed.applied().revision(), true) : new Start(after, false));
        });
    }

    /** Ends all streams. Each client is asked to reconnect after its own random delay, so that the load is spread. */
    public void close() {
        closing = true;
        loops.values().forEach(l -> l.context.runOnContext(v -> l.tick()));
    }

    private final class Stream {
        private final Loop loop;
        private final HttpServerResponse response;
        private final StreamForm form;
        private final ChangeFilter filter;
        private final Caller caller;
        private final boolean withActor;
        private final long endNanos;
        private long position;
        /** The last change that the client of a form without changes has not been told of; 0 if there is none. */
        private long untold;

        private boolean isLive;
        private boolean isClosed;

        Stream(
                Loop loop,
                HttpServerResponse response,
                StreamForm form,
                ChangeFilter filter,
                Caller caller,
                Start start) {
            this.loop = loop;
            this.response = response;
            this.form = form;
            this.filter = filter;
            this.caller = caller;
            this.withActor = caller.has(Right.AUDIT_READ);
            this.position = start.revision();
            long max = Math.max(1000, settings.streamMaxAge().toMillis());
            this.endNanos = System.nanoTime()
                    + Duration.ofMillis(max / 2 + ThreadLocalRandom.current().nextLong(max / 2))
                            .toNanos();
        }

        void begin(boolean resync) {
            loop.all.add(this);
            response.setChunked(true);
            response.setWriteQueueMaxSize(BUFFER_BYTES);
            response.closeHandler(v -> closed());
            response.exceptionHandler(e -> closed());
            if (response.closed()) {
                // the client has disconnected meanwhile, and a handler that is set after that is not called
                closed();
                return;
            }
            response.write(form.hello(position));
            if (resync) {
                response.write(form.resync(position));
            }
            catchUp();
        }

        /** Reads the log until this stream has every change that its event loop has received. */
        private void catchUp() {
            if (isClosed) {
                return;
            }
            if (position >= loop.heard) {
                isLive = true;
                loop.live.computeIfAbsent(filter, f -> new LinkedHashSet<>()).add(this);
                if (untold != 0) {
                    loop.tellSoon(this);
                }
                return;
            }
            if (response.writeQueueFull()) {
                awaitDrain();
                return;
            }
            reader.after(position)
                    .onComplete(read -> loop.context.runOnContext(v -> {
                        if (read.failed()) {
                            log.debug(
                                    "stream.catch-up-failed cause={}",
                                    read.cause().toString());
                            end();
                            return;
                        }
                        if (read.result().isEmpty()) {
                            // a change that was received is still being applied: it can be read soon
                            vertx.setTimer(5, t -> catchUp());
                            return;
                        }
                        for (Change change : read.result()) {
                            if (!isClosed && filter.matches(change)) {
                                write(events.of(change));
                            }
                            position = change.revision();
                        }
                        catchUp();
                    }));
        }

        private void awaitDrain() {
            long timer = vertx.setTimer(DRAIN_DEADLINE.toMillis(), t -> drop());
            response.drainHandler(v -> {
                vertx.cancelTimer(timer);
                response.drainHandler(null);
                catchUp();
            });
        }

        void send(ChangeEvent event) {
            if (event.revision() <= position) {
                return;
            }
            if (response.writeQueueFull()) {
                fallBehind();
                return;
            }
            position = event.revision();
            write(event);
        }

        private void write(ChangeEvent event) {
            Buffer frame = form.change(event, withActor);
            if (frame != null) {
                response.write(frame);
            } else {
                untold = event.revision();
                loop.tellSoon(this);
            }
        }

        /** Tells the client that something has changed, once for all changes that it has not been told of. */
        void tell() {
            if (isClosed || untold == 0) {
                return;
            }
            if (!response.writeQueueFull()) {
                response.write(form.resync(untold));
                untold = 0;
            } else if (isLive) {
                fallBehind();
            }
        }

        /** Stops to receive changes as they happen. When the client has read what waits, the rest comes from the log. */
        private void fallBehind() {
            isLive = false;
            leaveLive();
            awaitDrain();
        }

        void heartbeat() {
            if (response.writeQueueFull()) {
                // the client has enough to read
                return;
            }
            long upTo = isLive ? loop.heard : position;
            response.write(form.heartbeat(upTo, feed.lookAge(), feed.recent().hashAt(upTo)));
        }

        void resync(long revision) {
            position = revision;
            if (response.writeQueueFull()) {
                // it comes back at a position that the log does not have
                end();
                return;
            }
            untold = 0;
            response.write(form.resync(revision));
        }

        /**
         * Closes the stream, because the client has read nothing for a while. The client reconnects by itself and misses
         * nothing.
         */
        private void drop() {
            if (isClosed) {
                return;
            }
            dropped.increment();
            closed();
            response.reset();
        }

        void end() {
            if (!isClosed) {
                closed();
                response.end(
                        ServerSentEvents.retry(500 + ThreadLocalRandom.current().nextLong(4500)));
            }
        }

        private void closed() {
            if (isClosed) {
                return;
            }
            isClosed = true;
            open.decrementAndGet();
            loop.all.remove(this);
            leaveLive();
        }

        private void leaveLive() {
            Set<Stream> group = loop.live.get(filter);
            if (group != null) {
                group.remove(this);
                if (group.isEmpty()) {
                    loop.live.remove(filter);
                }
            }
        }
    }

    /** The matching changes that a scan found, and the revision up to which it has read the log. */
    record Scan(List<Change> found, long scannedTo) {}

    /**
     * Finds at most {@code limit} matching changes after a revision. Stops after a number of pages or bytes even if it has
     * found fewer, so that one request neither reads the whole log nor holds much of it.
     */
    Future<Scan> scan(Predicate<Change> matches, long after, int limit) {
        return scan(matches, after, limit, new ArrayList<>(), 0, MAX_PAGES);
    }

    private Future<Scan> scan(
            Predicate<Change> matches, long after, int limit, List<Change> found, long foundBytes, int pages) {
        return reader.after(after).compose(page -> {
            long to = after;
            long bytes = foundBytes;
            for (Change change : page) {
                to = change.revision();
                if (matches.test(change)) {
                    found.add(change);
                    bytes += change.size();
                    if (found.size() == limit || bytes > MAX_PAGE_BYTES) {
                        return Future.succeededFuture(new Scan(found, to));
                    }
                }
            }
            return page.isEmpty() || pages == 0
                    ? Future.succeededFuture(new Scan(found, to))
                    : scan(matches, to, limit, found, bytes, pages - 1);
        });
    }
}
