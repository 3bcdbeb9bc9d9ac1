package dev.configservice.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Changes by somebody with SQL are found out, and refused attempts are on record. */
class AuditTrustTest {
    private static void create(TestNode node, String key) {
        assertThat(node.admin()
                        .post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"e\"}")
                        .status())
                .isEqualTo(201);
    }

    private static Reply verify(TestNode node, String query) {
        Reply reply = node.admin().get("/audit/verify" + query);
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        return reply;
    }

    private static void assertBroken(TestNode node, long at) {
        JsonNode result = verify(node, "").json();
        assertThat(result.get("verified").asBoolean()).as(result.toString()).isFalse();
        assertThat(result.get("first_break").asLong()).as(result.toString()).isEqualTo(at);
    }

    private static void awaitSeal(TestNode node, long revision) {
        await().atMost(Duration.ofSeconds(10))
                .until(() -> !node.sql("select 1 from seals where revision >= " + revision)
                        .isEmpty());
    }

    /** Computes the chain again from a revision on, as somebody with SQL can. */
    private static final String CHAIN_AGAIN = """
            do $$ declare h bytea; c record; begin
              select hash into h from changes where revision = %1$d - 1;
              if h is null then h := decode(repeat('00', 32), 'hex'); end if;
              for c in select revision, digest from changes where revision >= %1$d order by revision loop
                h := sha256(h || int8send(c.revision) || c.digest);
                update changes set hash = h where revision = c.revision;
              end loop;
              update head set hash = h;
            end $$""";

    @Test
    void whatIsChangedBehindTheLogIsFoundOut() {
        try (TestNode node = TestNode.start(Map.of())) {
            for (int i = 1; i <= 3; i++) {
                create(node, "k" + i);
            }
            awaitSeal(node, 3);
            for (int i = 4; i <= 6; i++) {
                create(node, "k" + i);
            }
            awaitSeal(node, 6);
            assertThat(verify(node, "").json().get("verified").asBoolean()).isTrue();

            node.sql("update resources set row = '{\"value\":2,\"is_encrypted\":false}' where revision = 5");
            assertBroken(node, 5);
            node.sql("update resources set row = (select row from changes where revision = 5) where revision = 5");
            node.sql("update resources set environment = 'other' where revision = 4");
            assertBroken(node, 4);
            node.sql("update resources set environment = 'e' where revision = 4");
            node.sql("create table stolen as select * from resources where revision = 6");
            node.sql("delete from resources where revision = 6");
            assertBroken(node, 6);
            node.sql("insert into resources select * from stolen");
            node.sql(
                    "insert into resources select kind, gen_random_uuid()::text, environment, service_name, 'new', version,"
                            + " revision, fence, row, sealed from stolen");
            assertBroken(node, 6);
            node.sql("delete from resources where name = 'new'");
            assertThat(verify(node, "").json().get("verified").asBoolean()).isTrue();
        }
    }

    @Test
    void aChainThatWasComputedAgainDoesNotMatchItsSeals() {
        try (TestNode node = TestNode.start(Map.of())) {
            create(node, "k1");
            awaitSeal(node, 1);
            create(node, "k2");
            awaitSeal(node, 2);
            create(node, "k3");
            awaitSeal(node, 3);
            JsonNode anchor = node.admin().get("/audit/anchor").json();
            assertThat(anchor.get("revision").asLong()).isEqualTo(3);
            String check = "?from=3&hash=" + anchor.get("hash").asText();
            assertThat(verify(node, check).json().get("verified").asBoolean()).isTrue();
            String query = "&to=3&hash=" + "0".repeat(64);
            assertThat(verify(node, "?from=3" + query).json().get("first_break").asLong())
                    .isEqualTo(3);

            // the node is not running while somebody rewrites history, with digests of their own
            node.sql("update changes set digest = sha256(digest) where revision = 2");
            node.sql(CHAIN_AGAIN.formatted(2));
            JsonNode result = verify(node, "").json();
            assertThat(result.get("verified").asBoolean()).isFalse();
            assertThat(result.get("first_break").asLong()).isEqualTo(2);
            assertThat(verify(node, check).json().get("verified").asBoolean()).isFalse();
        }
    }

    @Test
    void sealsCannotBeForgedLeftOutOrMissing() {
        try (TestNode node = TestNode.start(Map.of())) {
            for (int i = 1; i <= 3; i++) {
                create(node, "k" + i);
                awaitSeal(node, i);
            }
            assertThat(verify(node, "").json().get("verified").asBoolean()).isTrue();
            node.sql("create table kept as select * from seals");
            for (String attack : new String[] {
                "update seals set code = sha256(code) where revision = 2",
                "update seals set at = at - interval '1 hour' where revision = 2",
                "update seals set hash = sha256(hash) where revision = 2",
                "delete from seals where revision = 2",
                "delete from seals where revision = 1"
            }) {
                node.sql(attack);
                assertThat(verify(node, "").json().get("verified").asBoolean())
                        .as(attack)
                        .isFalse();
                node.sql("delete from seals; insert into seals select * from kept");
            }
            assertThat(verify(node, "").json().get("verified").asBoolean()).isTrue();
        }
    }

    @Test
    void theEndOfTheLogCannotBeCutOff() {
        try (TestNode node = TestNode.start(Map.of())) {
            for (int i = 1; i <= 3; i++) {
                create(node, "k" + i);
                awaitSeal(node, i);
            }
            node.sql("delete from resources where revision > 1; delete from changes where revision > 1;"
                    + " delete from history where revision > 1;"
                    + " update head set (revision, hash) = (select revision, hash from changes where revision = 1)");
            assertBroken(node, 2);
        }
    }

    @Test
    void sealsOfAKeyThatWasReplacedStillVerify() {
        Map<String, String> first = new HashMap<>(Map.of("CS_CLUSTER_SECRET", "the first secret of the cluster"));
        try (TestNode node = TestNode.start(first)) {
            create(node, "k1");
            awaitSeal(node, 1);
            first.put("CS_CLUSTER_NAME", node.setting("CS_CLUSTER_NAME"));
            first.put("CS_POSTGRES_URI", node.setting("CS_POSTGRES_URI"));
        }
        Map<String, String> both = new HashMap<>(first);
        both.put("CS_CLUSTER_SECRET", "the second secret of the cluster");
        both.put("CS_CLUSTER_SECRET_PREVIOUS", "the first secret of the cluster");
        try (TestNode node = TestNode.start(both)) {
            assertThat(verify(node, "").json().get("verified").asBoolean()).isTrue();
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> node.sql("select count(distinct key_id) from seals where revision = 1 and key_id <> ("
                                            + "select key_id from seals order by revision limit 1 offset 99)")
                                    .size()
                            == 1);
            create(node, "k2");
            awaitSeal(node, 2);
        }
        Map<String, String> second = new HashMap<>(both);
        second.remove("CS_CLUSTER_SECRET_PREVIOUS");
        try (TestNode node = TestNode.start(second)) {
            assertThat(verify(node, "").json().get("verified").asBoolean()).isTrue();
        }
        Map<String, String> stranger = new HashMap<>(second);
        stranger.put("CS_CLUSTER_SECRET", "a secret that this cluster never had");
        stranger.put("CS_ACCESS_ADMIN_KEY", "another-admin-key-of-tests");
        try (TestNode node = TestNode.start(stranger)) {
            assertThat(node.anonymous()
                            .key("another-admin-key-of-tests")
                            .get("/audit/verify")
                            .json()
                            .get("verified")
                            .asBoolean())
                    .isFalse();
        }
    }

    @Test
    void heartbeatsCarryTheChain() {
        try (TestNode node = TestNode.start(Map.of());
                EventStream stream = new EventStream(node.anonymous(), "")) {
            create(node, "k");
            EventStream.Event event = stream.next();
            while (!event.type().equals("heartbeat")) {
                event = stream.next();
            }
            assertThat(verify(
                                    node,
                                    "?from=" + event.id() + "&hash="
                                            + event.data().get("chain").asText())
                            .json()
                            .get("verified")
                            .asBoolean())
                    .isTrue();
        }
    }

    @Test
    void refusedAttemptsAreInTheAudit() {
        TestNode node = TestNode.shared();
        String name = "weak-" + UUID.randomUUID();
        Reply given = node.admin().post("/access/keys", "{\"name\":\"" + name + "\",\"rights\":[\"read\"]}");
        Api weak = node.anonymous().key(given.field("key"));
        for (int i = 0; i < 7; i++) {
            assertThat(weak.post("/config", "{}").status()).isEqualTo(403);
        }
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            JsonNode items = node.admin()
                    .get("/audit?resource_type=access_denied&actor_id=" + given.field("id"))
                    .json()
                    .get("items");
            long attempts = 0;
            for (JsonNode item : items) {
                assertThat(item.at("/actor/name").asText()).isEqualTo(name);
                assertThat(item.at("/after/detail").asText()).isEqualTo("config:write");
                attempts += item.at("/after/attempts").asLong();
            }
            assertThat(attempts).isEqualTo(7);
        });
        node.anonymous().key("cs_wrong").get("/config/x");
        await().atMost(Duration.ofSeconds(20))
                .until(() -> node.admin()
                        .get("/audit?resource_type=access_denied")
                        .text()
                        .contains("\"status\":401"));
    }

    @Test
    void aLimitedReaderOfTheAuditSeesOnlyItsReach() {
        TestNode node = TestNode.shared();
        String env = "env-" + UUID.randomUUID();
        node.admin().post("/config", "{\"key\":\"mine\",\"value\":1,\"environment\":\"" + env + "\"}");
        node.admin().post("/config", "{\"key\":\"theirs\",\"value\":1,\"environment\":\"other-" + env + "\"}");
        Api limited = node.anonymous()
                .key(node.admin()
                        .post(
                                "/access/keys",
                                "{\"name\":\"" + env + "\",\"rights\":[\"audit:read\"],\"environments\":[\"" + env
                                        + "\"]}")
                        .field("key"));
        assertThat(limited.get("/audit?key=mine").json().get("items")).hasSize(1);
        assertThat(limited.get("/audit?key=theirs").json().get("items")).isEmpty();
        JsonNode items = limited.get("/audit?limit=500").json().get("items");
        assertThat(items).isNotEmpty();
        for (JsonNode item : items) {
            assertThat(item.get("resource_type").asText()).isNotEqualTo("access_key");
            assertThat(item.get("environment").isNull()
                            || item.get("environment").asText().equals(env))
                    .isTrue();
        }
        assertThat(limited.get("/audit?resource_type=access_denied").json().get("items"))
                .isEmpty();
        assertThat(node.admin()
                        .get("/audit?resource_type=access_key&environment=" + env)
                        .json()
                        .get("items"))
                .isEmpty();
    }
}
