package dev.configservice.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.Span;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Traces of requests, as a collector receives them. */
class TracingTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String CALLER = "b7ad6b7169203331";

    private final Vertx vertx = Vertx.vertx();
    private final Queue<Span> spans = new ConcurrentLinkedQueue<>();
    private final int port = Ports.free();

    @BeforeEach
    void collect() {
        vertx.createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
                .requestHandler(request -> request.body().onSuccess(body -> {
                    if (request.path().equals("/v1/traces")) {
                        take(body.getBytes());
                    }
                    request.response()
                            .putHeader("Content-Type", "application/x-protobuf")
                            .end();
                }))
                .listen(port, "127.0.0.1")
                .await();
    }

    private void take(byte[] body) {
        try {
            ExportTraceServiceRequest.parseFrom(body)
                    .getResourceSpansList()
                    .forEach(r -> r.getScopeSpansList().forEach(s -> spans.addAll(s.getSpansList())));
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void stop() {
        vertx.close().await();
    }

    private static String hex(com.google.protobuf.ByteString bytes) {
        return HexFormat.of().formatHex(bytes.toByteArray());
    }

    private List<Span> spansOf(String trace) {
        return spans.stream().filter(s -> hex(s.getTraceId()).equals(trace)).toList();
    }

    /** The events of the trace's spans, by name. */
    private List<String> events(String trace) {
        return spansOf(trace).stream()
                .flatMap(s -> s.getEventsList().stream())
                .map(Span.Event::getName)
                .toList();
    }

    private static Api traced(Api api, String trace) {
        return api.with("traceparent", "00-" + trace + "-" + CALLER + "-01");
    }

    @Test
    void aWriteIsTracedFromItsRequestUntilItIsVisibleAndInKafka() {
        String topic = "traced-" + UUID.randomUUID();
        try (TestNode node = TestNode.start(Map.of(
                "CS_TRACING_ENDPOINT",
                "http://127.0.0.1:" + port,
                "CS_TRACING_SHARE",
                "0",
                "CS_KAFKA_BOOTSTRAP_SERVERS",
                TestServers.get().kafkaBootstrapServers(),
                "CS_KAFKA_TOPIC",
                topic))) {
            assertThat(traced(node.admin(), TRACE)
                            .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}")
                            .status())
                    .isEqualTo(201);
            // a query may carry a key, whether the route knows it or not
            traced(node.anonymous().undescribed(), TRACE).get("/config/k?environment=e&access_token=hush-hush");
            // one that is not traced by its caller begins no trace here
            assertThat(node.anonymous().get("/config/k?environment=e").status()).isEqualTo(200);

            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(events(TRACE)).containsExactly("committed", "visible"));
            await().untilAsserted(() -> assertThat(spansOf(TRACE))
                    .anyMatch(s -> hex(s.getParentSpanId()).equals(CALLER)));
            await().untilAsserted(() -> assertThat(spans.toString()).contains("(not shown)"));
            assertThat(spans.toString()).doesNotContain("hush-hush");
            assertThat(spans).allMatch(s -> hex(s.getTraceId()).equals(TRACE));

            ConsumerRecord<String, String> record = first(topic);
            assertThat(new String(record.headers().lastHeader("traceparent").value(), StandardCharsets.UTF_8))
                    .startsWith("00-" + TRACE + "-")
                    .endsWith("-01");
        }
    }

    @Test
    void aWriteThroughAnEdgeIsOneTrace() {
        String endpoint = "http://127.0.0.1:" + port;
        try (TestNode node = TestNode.start(Map.of("CS_TRACING_ENDPOINT", endpoint));
                TestNode edge = node.edge(Map.of("CS_TRACING_ENDPOINT", endpoint))) {
            String trace = TRACE.replace('0', '1');
            assertThat(traced(edge.admin(), trace)
                            .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}")
                            .status())
                    .isEqualTo(201);
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
                assertThat(events(trace)).contains("committed", "visible");
                // the edge sends its spans by itself
                assertThat(spansOf(trace))
                        .anyMatch(s -> hex(s.getParentSpanId()).equals(CALLER));
            });
        }
    }

    private static ConsumerRecord<String, String> first(String topic) {
        Properties p = new Properties();
        p.setProperty("bootstrap.servers", TestServers.get().kafkaBootstrapServers());
        p.setProperty("group.id", UUID.randomUUID().toString());
        p.setProperty("auto.offset.reset", "earliest");
        p.setProperty("isolation.level", "read_committed");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            List<ConsumerRecord<String, String>> found = new java.util.ArrayList<>();
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return !found.isEmpty();
            });
            return found.get(0);
        }
    }
}
