package dev.configservice.events.kafka;

import dev.configservice.settings.KafkaSettings;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A topic. It is created if it does not exist. One that exists with other settings is left as it is, and
 * that is logged. While a node sends, a topic that somebody deletes comes back as it was set: brokers that create topics
 * by themselves do so with their own settings as soon as the next change is sent. A topic that also others use is only
 * created.
 */
final class Topic {
    /** The size of the largest message: larger than the largest event that a request body can cause. */
    static final int MAX_MESSAGE_BYTES = 4 << 20;

    private static final Logger log = LoggerFactory.getLogger(Topic.class);

    private final Vertx vertx;
    private final Context context;
    private final KafkaSettings settings;
    private final KafkaProperties properties;
    private final boolean isOurs;
    private @Nullable Admin admin;
    private @Nullable Uuid id;

    /** Creates the topic of one context, on which all methods are called. */
    Topic(Vertx vertx, Context context, KafkaSettings settings, KafkaProperties properties, boolean isOurs) {
        this.isOurs = isOurs;
        this.vertx = vertx;
        this.context = context;
        this.settings = settings;
        this.properties = properties;
    }

    /** The topic as a broker describes it. The largest message is unknown where this client may not ask for it. */
    private record Seen(
            Uuid id, int partitions, int replicas, @Nullable String maxMessageBytes) {}

    /** Creates the topic if it does not exist, and mends it if it was created anew since the last call. */
    Future<Void> ensure() {
        return admin().compose(a -> describe(a).compose(seen -> seen.isEmpty() ? create(a) : check(a, seen.get())));
    }

    private Future<Admin> admin() {
        Admin open = admin;
        return open != null
                ? Future.succeededFuture(open)
                : vertx.executeBlocking(
                                () -> Admin.create(new HashMap<>(properties.with(
                                        Map.of("request.timeout.ms", "5000", "default.api.timeout.ms", "10000")))),
                                false)
                        .onSuccess(a -> admin = a);
    }

    private <T> Future<T> of(KafkaFuture<T> future) {
        return Future.fromCompletionStage(future.toCompletionStage(), context)
                .recover(e -> Future.failedFuture(
                        e instanceof CompletionException && e.getCause() != null ? e.getCause() : e));
    }

    private Future<Optional<Seen>> describe(Admin a) {
        String name = settings.topic();
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        return of(a.describeTopics(List.of(name)).allTopicNames())
                .map(all -> Objects.requireNonNull(all.get(name)))
                .compose(topic -> of(a.describeConfigs(List.of(resource)).all())
                        .map(all -> Objects.requireNonNull(all.get(resource)))
                        // not every client may see it
                        .otherwise(e -> new Config(List.of()))
                        .map(config -> Optional.of(seen(topic, config))))
                .recover(e -> e instanceof UnknownTopicOrPartitionException
                        ? Future.succeededFuture(Optional.empty())
                        : Future.failedFuture(e));
    }

    private static Seen seen(TopicDescription topic, Config config) {
        ConfigEntry max = config.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        return new Seen(
                topic.topicId(),
                topic.partitions().size(),
                topic.partitions().get(0).replicas().size(),
                max == null ? null : max.value());
    }

    private Future<Void> create(Admin a) {
        NewTopic topic = new NewTopic(settings.topic(), settings.partitions(), (short) settings.replicationFactor())
                .configs(Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(MAX_MESSAGE_BYTES)));
        var created = a.createTopics(List.of(topic));
        return of(created.all())
                .compose(v -> of(created.topicId(settings.topic())))
                .onSuccess(fresh -> {
                    id = fresh;
                    log.info("kafka.topic-created topic={} partitions={}", settings.topic(), settings.partitions());
                })
                .<Void>mapEmpty()
                // another node, or the broker, was faster: the next look sees what there is
                .recover(e -> e instanceof TopicExistsException ? Future.succeededFuture() : Future.failedFuture(e));
    }

    private Future<Void> check(Admin a, Seen seen) {
        Uuid known = id;
        id = seen.id();
        List<String> differences = differences(seen);
        if (!isOurs || seen.id().equals(known) || differences.isEmpty()) {
            return Future.succeededFuture();
        }
        if (known == null) {
            log.warn(
                    "kafka.topic-differs topic={} {} (left as it is)", settings.topic(), String.join(" ", differences));
            return Future.succeededFuture();
        }
        log.warn(
                "kafka.topic-made-anew topic={} {} (it was deleted; its settings are restored)",
                settings.topic(),
                String.join(" ", differences));
        return mend(a, seen).onFailure(e -> id = known);
    }

    /** Returns each setting that differs, as it is and as it is set. */
    private List<String> differences(Seen seen) {
        List<String> differences = new ArrayList<>();
        differ(differences, "partitions", seen.partitions(), settings.partitions());
        differ(differences, "replication_factor", seen.replicas(), settings.replicationFactor());
        if (seen.maxMessageBytes() != null && Long.parseLong(seen.maxMessageBytes()) < MAX_MESSAGE_BYTES) {
            differences.add("max_message_bytes=" + seen.maxMessageBytes() + " (set: " + MAX_MESSAGE_BYTES + ")");
        }
        return differences;
    }

    private static void differ(List<String> differences, String name, int is, int set) {
        if (is != set) {
            differences.add(name + "=" + is + " (set: " + set + ")");
        }
    }

    private Future<Void> mend(Admin a, Seen seen) {
        Future<Void> grown = seen.partitions() < settings.partitions()
                ? of(a.createPartitions(Map.of(settings.topic(), NewPartitions.increaseTo(settings.partitions())))
                        .all())
                : Future.succeededFuture();
        Collection<AlterConfigOp> larger = List.of(new AlterConfigOp(
                new ConfigEntry(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(MAX_MESSAGE_BYTES)),
                AlterConfigOp.OpType.SET));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, settings.topic());
        return grown.compose(
                v -> of(a.incrementalAlterConfigs(Map.of(resource, larger)).all()));
    }

    /** Closes the connection. It is opened again when the topic is looked at the next time. */
    Future<Void> close() {
        Admin open = admin;
        admin = null;
        return open == null
                ? Future.succeededFuture()
                : vertx.executeBlocking(
                        () -> {
                            open.close(Duration.ofSeconds(1));
                            return null;
                        },
                        false);
    }
}
