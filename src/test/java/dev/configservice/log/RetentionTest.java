package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.config.ConfigurationKind;
import dev.configservice.flag.FlagKind;
import dev.configservice.postgres.Postgres;
import dev.configservice.schema.SchemaSet;
import dev.configservice.secret.Keyring;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RetentionTest {
    private static final int SIZE = 1000;

    private final TestNode node = TestNode.start(Map.of("CS_CHANGES_PARTITION_SIZE", Integer.toString(SIZE)));
    private final Vertx vertx = Vertx.vertx();
    private final Postgres postgres = new Postgres(vertx, node.setting("CS_POSTGRES_URI"), 2);

    /** A retention of one millisecond: every full partition can be removed. */
    private final Retention retention = retention(Duration.ZERO);

    private Retention retention(Duration historyKeep) {
        return new Retention(
                vertx,
                postgres,
                Duration.ofMillis(1),
                historyKeep,
                SIZE,
                new ResourceKinds(List.of(
                        new ConfigurationKind(
                                Keyring.of(""), (resource, actor, requestId) -> {}, new SchemaSet(), 1L << 24),
                        new FlagKind("e", 1L << 24))),
                new SimpleMeterRegistry());
    }

    @BeforeEach
    void smallPartitions() {
        assertThat(retention.run().await()).isZero();
        assertThat(node.sql("select first, upto from log_partitions order by first"))
                .containsExactly(List.of("0", "1000"), List.of("1000", "2000"));
    }

    @AfterEach
    void stop() {
        vertx.close().await();
        node.close();
    }

    private Reply create(String key, String value) {
        Reply reply = node.admin()
                .post("/config", "{\"key\":\"" + key + "\",\"value\":\"" + value + "\",\"environment\":\"e\"}");
        assertThat(reply.status()).isEqualTo(201);
        return reply;
    }

    /** Writes until the log is beyond its first partition. */
    private void fill() {
        Reply busy = create("busy", "0");
        long revision = busy.revision();
        for (int i = 1; revision <= SIZE; i++) {
            revision = node.admin()
                    .put("/config/" + busy.field("id"), "{\"value\":\"" + i + "\"}")
                    .revision();
        }
    }

    private String versions(Reply resource) {
        StringBuilder versions = new StringBuilder();
        node.anonymous()
                .get("/config/" + resource.field("id") + "/history?limit=500")
                .json()
                .get("items")
                .forEach(v -> versions.append(v.get("version").asText())
                        .append(v.get("value").asText())
                        .append(' '));
        return versions.toString();
    }

    @Test
    void oldPartitionsAreDroppedAndLiveResourcesKeepTheirHistory() {
        Reply living = create("living", "first");
        node.admin().put("/config/" + living.field("id"), "{\"value\":\"second\"}");
        Reply gone = create("gone", "x");
        node.admin().delete("/config/" + gone.field("id"));
        Reply deletedLater = create("deleted-later", "y");
        assertThat(retention.run().await()).as("the only partition is in use").isZero();
        fill();
        node.admin().delete("/config/" + deletedLater.field("id"));

        assertThat(retention.run().await()).isEqualTo(1);

        assertThat(node.sql("select min(revision) from changes").get(0).get(0)).isEqualTo("1000");
        assertThat(node.sql("select name from log_partitions order by first")
                        .get(0)
                        .get(0))
                .isEqualTo("changes_from_1000");
        assertThat(node.sql("select count(*) from pg_class where relname = 'changes_from_0'")
                        .get(0)
                        .get(0))
                .isEqualTo("0");
        assertThat(versions(living)).isEqualTo("2second 1first ");
        // what the log no longer tells cannot be read as of then, but from the anchor on all of it can
        Reply past = node.anonymous().get("/config/living?environment=e&at=5");
        assertThat(past.status()).isEqualTo(410);
        assertThat(past.json().get("oldest_revision").asLong()).isEqualTo(999);
        assertThat(node.anonymous().get("/config/living?environment=e&at=999").field("value"))
                .isEqualTo("second");
        assertThat(node.anonymous()
                        .get("/config/deleted-later?environment=e&at=999")
                        .field("value"))
                .isEqualTo("y");
        // the log still contains its deletion
        assertThat(versions(deletedLater)).startsWith("2").endsWith("1y ");
        assertThat(node.sql("select count(*) from history where resource_id = '" + gone.field("id") + "'"))
                .containsExactly(List.of("0"));
        assertThat(node.admin()
                        .post("/config/" + living.field("id") + "/rollback", "{\"version\":1}")
                        .field("value"))
                .isEqualTo("first");
        Reply verified = node.admin().get("/audit/verify");
        assertThat(verified.json().get("verified").asBoolean()).isTrue();
        assertThat(verified.json().get("from").asLong()).isEqualTo(1000);

        Reply old = node.anonymous().get("/changes?after=5");
        if (old.status() == 410) {
            assertThat(old.json().get("oldest_revision").asLong()).isEqualTo(1000);
        } else {
            // this node still has the change in memory
            assertThat(old.status()).isEqualTo(200);
        }
        try (TestNode other = node.join();
                EventStream stream = new EventStream(other.anonymous(), "?after=5")) {
            assertThat(other.anonymous().get("/changes?after=5").status()).isEqualTo(410);
            assertThat(stream.next().type()).isEqualTo("hello");
            assertThat(stream.next().type()).isEqualTo("resync");
        }
    }

    @Test
    void oldHistoryIsDroppedByItsSettingAndTheLogStillVerifies() {
        Reply living = create("living", "first");
        node.admin().put("/config/" + living.field("id"), "{\"value\":\"second\"}");
        fill();
        assertThat(retention.run().await()).isEqualTo(1);
        assertThat(versions(living)).isEqualTo("2second 1first ");

        assertThat(retention(Duration.ofMillis(1)).run().await()).isZero();

        // the change that led to what stands stays
        assertThat(versions(living)).isEqualTo("2second ");
        assertThat(node.admin().get("/audit/verify").json().get("verified").asBoolean())
                .isTrue();
    }

    @Test
    void aBrokenChainIsStillFoundAfterAPartitionWasDropped() {
        fill();
        create("after", "v");
        assertThat(retention.run().await()).isEqualTo(1);
        assertThat(node.admin().get("/audit/verify").json().get("verified").asBoolean())
                .isTrue();
        node.sql("update changes set actor = 'nobody' where revision = 1000");
        assertThat(node.admin().get("/audit/verify").json().get("first_break").asLong())
                .isEqualTo(1000);
    }

    @Test
    void aLaggingConsumerKeepsThePartitionThatItNeeds() {
        fill();
        node.sql("insert into cursors (name, position, until) values ('kafka:slow', 500, now())");
        assertThat(retention.run().await()).isZero();
        node.sql("update cursors set position = 999");
        assertThat(retention.run().await()).isEqualTo(1);
    }

    @Test
    void retentionBlocksNoReadsOrWritesAndCompletesAFailedRun() throws Exception {
        fill();
        // a transaction that reads the log stays open: detaching the partition waits for it, nothing else does
        var reader = dev.configservice.testing.TestServers.connect(node.setting("CS_POSTGRES_URI"));
        try (reader) {
            reader.setAutoCommit(false);
            reader.createStatement().execute("select count(*) from changes");
            var running = retention.run();
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> node.sql("select count(*) from pg_inherits where inhdetachpending")
                            .get(0)
                            .get(0)
                            .equals("1"));
            long started = System.nanoTime();
            create("meanwhile", "v");
            assertThat(node.anonymous().get("/config/meanwhile?environment=e").status())
                    .isEqualTo(200);
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(2));
            // ends the connection, as if the node died
            node.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%detach%' and pid <>"
                    + " pg_backend_pid()");
            assertThat(running.transform(done -> io.vertx.core.Future.succeededFuture(done.failed()))
                            .await())
                    .isTrue();
            reader.commit();
        }
        assertThat(retention.run().await()).isEqualTo(1);
        assertThat(node.admin().get("/audit/verify").json().get("verified").asBoolean())
                .isTrue();
    }
}
