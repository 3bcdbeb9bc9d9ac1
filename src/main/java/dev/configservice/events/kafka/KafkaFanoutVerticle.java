package dev.configservice.events.kafka;

import dev.configservice.events.kafka.FanoutCursor.Claim;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Position;
import dev.configservice.postgres.Postgres;
import dev.configservice.settings.KafkaSettings;
import dev.configservice.vertx.Backoff;
import dev.configservice.vertx.Outage;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.kafka.client.producer.KafkaProducer;
import io.vertx.kafka.client.producer.KafkaProducerRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fan-out of changes to a Kafka topic: in revision order for each resource, at least once, from one node at
 * a time. The node that holds the cursor sends a page in one transaction, then moves the cursor. The producers of all
 * nodes have the same transactional id. If an earlier holder was only paused, the broker therefore fences it off. After
 * any error the node drops its producer and its claim, and starts again from the cursor.
 */
public final class KafkaFanoutVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(KafkaFanoutVerticle.class);
    private static final int PAGE = 512;
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    private static final Duration CALL_DEADLINE = Duration.ofSeconds(15);

    /** The failure of a step because this node no longer holds the cursor. */
    private static final class ClaimLostException extends RuntimeException {
        private static final long serialVersionUID = 1;

        ClaimLostException() {
            super("this node does not hold the cursor");
        }
    }

    private final KafkaSettings settings;
    private final KafkaProperties properties;
    private final ChangeFeed feed;
    private final ChangeLog changeLog;
    private final TopicMessages messages;
    private final FanoutCursor cursor;
    private final Counter sent;

    private @Nullable Topic topic;
    private @Nullable KafkaProducer<String, Buffer> producer;
    private @Nullable Claim claim;
    private volatile long position = -1;
    private volatile boolean healthy = true;
    private long renewedNanos;
    private boolean busy;
    private boolean paced;
    private volatile boolean again;
    private boolean stopped;
    private boolean epochMoved;
    private boolean withoutLargeValues;
    private final Outage outage;
    private final Backoff backoff = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(5));
    private long pauseUntilNanos = System.nanoTime();

    public KafkaFanoutVerticle(
            KafkaSettings settings,
            KafkaProperties properties,
            ChangeFeed feed,
            ChangeLog changeLog,
            TopicMessages messages,
            Postgres postgres,
            String nodeId,
            MeterRegistry meters) {
        this.settings = settings;
        this.properties = properties;
        this.feed = feed;
        this.changeLog = changeLog;
        this.messages = messages;
        this.outage = new Outage(log, messages.part());
        this.cursor = new FanoutCursor(
                postgres,
                "kafka:" + settings.topic(),
                nodeId,
                () -> messages.needsPast() ? 0 : feed.applied().revision());
        this.sent = Counter.builder("config_service_kafka_sent")
                .description("Messages that this node sent to Kafka")
                .tag("topic", settings.topic())
                .register(meters);
        Gauge.builder("config_service_kafka_backlog", this, KafkaFanoutVerticle::backlog)
                .description("Revisions that this node has yet to send to Kafka; 0 on nodes that do not send")
                .tag("topic", settings.topic())
                .register(meters);
    }

    private double backlog() {
        return position < 0 ? 0 : Math.max(0, feed.applied().revision() - position);
    }

    /** Tells whether the last attempt to send succeeded. It is true on nodes that do not send. */
    public boolean isHealthy() {
        return healthy;
    }

    @Override
    public Future<?> start() {
        Context mine = context;
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                if (position >= 0 && !again) {
                    mine.runOnContext(v -> work());
                }
            }

            /** Begins again from the cursor in the database, which knows how far this log was sent. */
            @Override
            public void reset(Position to) {
                mine.runOnContext(v -> {
                    epochMoved = true;
                    work();
                });
            }
        });
        vertx.setPeriodic(LOOK_EVERY.toMillis(), t -> work());
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        stopped = true;
        Claim held = claim;
        return dropProducer()
                .eventually(() -> held == null ? Future.succeededFuture() : cursor.release(held))
                .otherwiseEmpty();
    }

    private void work() {
        if (stopped || !feed.isStarted() || System.nanoTime() - pauseUntilNanos < 0) {
            return;
        }
        if (busy || paced) {
            again = true;
            return;
        }
        busy = true;
        again = false;
        long began = System.nanoTime();
        step().onComplete(done -> {
            busy = false;
            if (done.failed()) {
                failed(done.cause());
                return;
            }
            outage.succeeded();
            backoff.reset();
            healthy = true;
            if (done.result()) {
                work();
            } else {
                pace(began);
            }
        });
    }

    private void pace(long began) {
        paced = true;
        long left = messages.pace().toMillis()
                - Duration.ofNanos(System.nanoTime() - began).toMillis();
        vertx.setTimer(Math.max(1, left), t -> {
            paced = false;
            if (again) {
                work();
            }
        });
    }

    /** Gives the claim back, so that another node can go on. Sends nothing more under it. */
    private Future<Void> letGo() {
        Claim held = claim;
        claim = null;
        position = -1;
        return dropProducer()
                .compose(v -> held == null ? Future.succeededFuture() : cursor.release(held))
                .otherwiseEmpty();
    }

    private void failed(Throwable cause) {
        if (cause instanceof ClaimLostException) {
            log.info(
                    "kafka.claim-lost topic={} position={} (another node sends, or the database was restored)",
                    settings.topic(),
                    position);
            pauseUntilNanos = System.nanoTime() + LOOK_EVERY.toNanos();
            busy = true;
            letGo().onComplete(v -> busy = false);
            return;
        }
        healthy = false;
        if (cause instanceof RecordTooLargeException) {
            withoutLargeValues = true;
            log.error("kafka.topic-too-small topic={}: events are sent without large values", settings.topic());
        }
        long pause = backoff.nextMillis();
        outage.failed(cause);
        // a node that could send gets its turn before this one, whose settings may be wrong, tries again
        pauseUntilNanos =
                System.nanoTime() + LOOK_EVERY.multipliedBy(2).plusMillis(pause).toNanos();
        busy = true;
        letGo().onComplete(v -> busy = false);
    }

    /**
     * Claims the cursor, or sends one page. Tells whether the next step can follow at once, because there is more to
     * send.
     */
    private Future<Boolean> step() {
        if (epochMoved) {
            epochMoved = false;
            return letGo().map(true);
        }
        Claim held = claim;
        if (held == null) {
            return cursor.claim().compose(this::claimed);
        }
        long upTo = feed.applied().revision();
        return next().compose(page -> {
            if (page.isEmpty()) {
                return renew(held);
            }
            Change last = page.get(page.size() - 1);
            return send(page).compose(v -> cursor.move(held, last)).compose(moved -> {
                if (!moved) {
                    return Future.failedFuture(new ClaimLostException());
                }
                renewedNanos = System.nanoTime();
                position = last.revision();
                return Future.succeededFuture(last.revision() < upTo);
            });
        });
    }

    /** Returns the next changes, from memory if it reaches back that far, else from PostgreSQL. */
    private Future<List<Change>> next() {
        List<Change> recent = feed.recent().after(position, PAGE);
        return recent == null ? changeLog.after(position, PAGE) : Future.succeededFuture(recent);
    }

    private Future<Boolean> claimed(Optional<Claim> got) {
        if (got.isEmpty()) {
            return Future.succeededFuture(false);
        }
        Claim fresh = got.get();
        claim = fresh;
        return within(topic().ensure())
                .compose(v -> connect())
                .compose(v -> cursor.renew(fresh))
                .map(still -> {
                    if (!still) {
                        throw new ClaimLostException();
                    }
                    position = fresh.position();
                    renewedNanos = System.nanoTime();
                    log.info("kafka.claimed topic={} position={}", settings.topic(), position);
                    return true;
                });
    }

    private Future<Boolean> renew(Claim held) {
        if (System.nanoTime() - renewedNanos < FanoutCursor.LEASE.toNanos() / 3) {
            return Future.succeededFuture(false);
        }
        // also in quiet times, so that a topic that is missing is there before the next change
        return within(topic().ensure()).compose(v -> cursor.renew(held)).compose(still -> {
            renewedNanos = System.nanoTime();
            return still ? Future.succeededFuture(false) : Future.failedFuture(new ClaimLostException());
        });
    }

    private Topic topic() {
        Topic known = topic;
        if (known == null) {
            known = new Topic(vertx, context, settings, properties, messages.needsPast());
            topic = known;
        }
        return known;
    }

    private Future<Void> connect() {
        Map<String, String> config = new HashMap<>();
        config.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "config-service-" + settings.topic());
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.LINGER_MS_CONFIG, "0");
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, "10000");
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "5000");
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "10000");
        config.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, "15000");
        config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(Topic.MAX_MESSAGE_BYTES));
        config.put(
                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, "org.apache.kafka.common.serialization.StringSerializer");
        config.put(
                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, "io.vertx.kafka.client.serialization.BufferSerializer");
        return vertx.executeBlocking(() -> KafkaProducer.<String, Buffer>create(vertx, properties.with(config)), false)
                .compose(fresh -> {
                    producer = fresh;
                    return within(fresh.initTransactions());
                });
    }

    private Future<Void> send(List<Change> page) {
        KafkaProducer<String, Buffer> to = producer;
        List<TopicMessages.Message> records = messages.of(page, withoutLargeValues);
        if (to == null) {
            return Future.failedFuture("no producer");
        }
        if (records.isEmpty()) {
            return Future.succeededFuture();
        }
        return within(to.beginTransaction())
                .compose(v -> {
                    List<Future<?>> sending = new ArrayList<>(records.size());
                    records.forEach(message -> sending.add(to.send(record(message))));
                    return within(Future.all(sending));
                })
                .compose(v -> within(to.commitTransaction()))
                .onSuccess(v -> sent.increment(records.size()));
    }

    private KafkaProducerRecord<String, Buffer> record(TopicMessages.Message message) {
        KafkaProducerRecord<String, Buffer> record =
                KafkaProducerRecord.create(settings.topic(), message.key(), message.value());
        message.headers().forEach(record::addHeader);
        return record;
    }

    private Future<Void> dropProducer() {
        KafkaProducer<String, Buffer> old = producer;
        producer = null;
        return topic().close()
                .compose(v -> old == null ? Future.succeededFuture() : old.close(1000))
                .onFailure(e -> log.debug("kafka.producer-not-closed cause={}", e.toString()))
                .otherwiseEmpty();
    }

    private <T> Future<T> within(Future<T> call) {
        Promise<T> promise = Promise.promise();
        long timer = vertx.setTimer(
                CALL_DEADLINE.toMillis(), t -> promise.tryFail("Kafka did not answer within " + CALL_DEADLINE));
        call.onComplete(done -> {
            vertx.cancelTimer(timer);
            if (done.succeeded()) {
                promise.tryComplete(done.result());
            } else {
                promise.tryFail(done.cause());
            }
        });
        return promise.future();
    }
}
