package dev.configservice.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.secret.Keyring;
import dev.configservice.testing.Api;
import dev.configservice.testing.InstalledPostgres;
import dev.configservice.testing.Releases;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestRedis;
import dev.configservice.testing.TestServers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import redis.clients.jedis.Jedis;

/**
 * The database and the state in Redis that earlier releases left: this one migrates the first, serves what is in it as
 * before, goes on with its log, and answers from the second while PostgreSQL is unreachable.
 */
class UpgradeSamplesTest {
    private static final String DATABASE = "database.sql";
    private static final String ANSWERS = "answers.json";
    private static final String REDIS = "redis.json";
    private static final String KEYSET = "keyset.json";

    private static TestNode node(String release, String postgres, String redis) {
        return TestNode.start(Map.of(
                "CS_CLUSTER_NAME",
                "release",
                "CS_CLUSTER_SECRET",
                "the-secret-of-samples",
                "CS_SECRETS_KEYSET",
                Releases.sample(release, KEYSET).strip(),
                "CS_POSTGRES_URI",
                postgres,
                "CS_REDIS_URI",
                redis));
    }

    /** Makes the samples of this release: a little of everything that the log can hold. */
    @Test
    @EnabledIfSystemProperty(named = Releases.PROPERTY, matches = "write")
    void samplesAreMade() throws Exception {
        Path keyset = TestServers.directory("release").resolve("keyset.json");
        Keyring.keptIn(keyset);
        Releases.keep(KEYSET, Files.readString(keyset) + "\n");
        String release = Releases.all().get(Releases.all().size() - 1);
        try (InstalledPostgres postgres = new InstalledPostgres();
                TestRedis redis = new TestRedis()) {
            try (TestNode node = node(release, postgres.uri("config"), redis.uri())) {
                ObjectNode answers = fill(node);
                Releases.keep(ANSWERS, answers.toPrettyString() + "\n");
                await().until(() -> verified(node.admin()));
                await().until(() -> dump(redis).size() >= 6);
            }
            Releases.keep(REDIS, dump(redis).toPrettyString() + "\n");
            String sql = postgres.run(
                    "pg_dump",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    postgres.uri("config").replaceAll(".*:(\\d+)/.*", "$1"),
                    "--inserts",
                    "--no-owner",
                    "--no-privileges",
                    "config");
            // lines of psql, which a driver does not know
            Releases.keep(DATABASE, sql.replaceAll("(?m)^\\\\.*\n", ""));
        }
    }

    private static ObjectNode fill(TestNode node) {
        Api admin = node.admin();
        String env = "production";
        ok(admin.put(
                "/config/db.url?environment=production",
                "{\"value\":\"postgresql://db/app\",\"description\":\"where\"}"));
        ok(admin.put(
                "/config/db.pool?environment=production&service_name=shop", "{\"value\":10,\"comment\":\"first\"}"));
        ok(admin.put("/config/db.pool?environment=production&service_name=shop", "{\"value\":20}"));
        String pool = admin.get("/config/db.pool?environment=production&service_name=shop")
                .field("id");
        ok(admin.post("/config/" + pool + "/rollback", "{\"version\":1}"));
        ok(admin.put("/config/limits?environment=production", "{\"value\":{\"a\":[1,2.50,\"ü\",true,null]}}"));
        ok(admin.put("/config/password?environment=production", "{\"value\":\"geheim\",\"is_encrypted\":true}"));
        ok(admin.put("/config/gone?environment=production", "{\"value\":1}"));
        ok(admin.delete("/config/gone?environment=production&comment=no+longer"));
        ok(admin.put("/feature-flags/base?environment=production", "{\"is_enabled\":true}"));
        ok(
                admin.put(
                        "/feature-flags/ui?environment=production",
                        "{\"is_enabled\":true,\"prerequisites\":[\"base\"],\"target_users\":[\"ann\"],\"rules\":[{\"constraints\":[{\"attribute\":\"plan\",\"operator\":\"eq\",\"values\":[\"gold\"]}]}],\"rollout_percentage\":12.5,\"variants\":[{\"name\":\"a\",\"value\":1,\"weight\":1},{\"name\":\"b\",\"value\":2,\"weight\":3}],\"tags\":[\"t\"]}"));
        ok(admin.put("/schemas/urls", "{\"key_pattern\":\"*.url\",\"schema\":{\"type\":\"string\"}}"));
        ok(
                admin.put(
                        "/templates/web",
                        "{\"parameters\":[{\"name\":\"port\",\"default\":80}],\"configurations\":[{\"key\":\"port\",\"value\":\"${port}\"}]}"));
        ok(admin.post(
                "/templates/web/apply",
                "{\"environment\":\"production\",\"service_name\":\"web\",\"parameters\":{\"port\":8080}}"));
        ok(
                admin.post(
                        "/registry/register",
                        "{\"service_name\":\"shop\",\"service_url\":\"http://10.0.0.7:8080\",\"instance_id\":\"one\",\"permanent\":true,\"metadata\":{\"zone\":\"a\"}}"));
        Reply set = ok(
                admin.post(
                        "/change-sets",
                        "{\"comment\":\"together\",\"operations\":[{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"production\",\"key\":\"x\",\"value\":1},{\"op\":\"put\",\"resource_type\":\"feature_flag\",\"environment\":\"production\",\"name\":\"y\",\"is_enabled\":true}]}"));
        Reply key = ok(admin.post("/access/keys", "{\"name\":\"reader\",\"rights\":[\"read\",\"audit:read\"]}"));
        node.anonymous().put("/config/x?environment=production", "{\"value\":2}");
        ObjectNode answers = Json.object();
        answers.put("key", key.field("key"));
        ObjectNode kept = answers.putObject("answers");
        for (String path : List.of(
                "/config?environment=" + env,
                "/config/service/shop?environment=" + env,
                "/config/password?environment=" + env,
                "/config/" + pool + "/history",
                "/config?deleted=true&environment=" + env,
                "/config/db.pool?environment=production&service_name=shop&at=4",
                "/feature-flags?environment=" + env,
                "/schemas/urls",
                "/templates/web",
                "/templates/web/drift?environment=production&service_name=web",
                "/registry/shop/instances",
                "/change-sets/" + set.field("id"),
                "/changes?after=0&limit=500",
                "/audit?limit=500&resource_type=configuration",
                "/environments",
                "/services")) {
            Reply reply = admin.get(path);
            assertThat(reply.status()).as(path + reply.text()).isEqualTo(200);
            kept.set(path, reply.json());
        }
        for (String user : List.of("ann", "bob", "eve")) {
            kept.set("evaluate " + user, evaluate(admin, user));
        }
        return answers;
    }

    private static JsonNode evaluate(Api api, String user) {
        return ok(api.post(
                        "/feature-flags/evaluate",
                        "{\"flag_name\":\"ui\",\"environment\":\"production\",\"user_id\":\"" + user + "\"}"))
                .json();
    }

    private static Reply ok(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isBetween(200, 204);
        return reply;
    }

    private static boolean verified(Api admin) {
        return admin.get("/audit/verify").json().path("verified").asBoolean();
    }

    private static ObjectNode dump(TestRedis redis) {
        ObjectNode all = Json.object();
        try (Jedis client = redis.client()) {
            for (String key : new java.util.TreeSet<>(client.keys("*"))) {
                ObjectNode fields = all.putObject(key);
                new TreeMap<>(client.hgetAll(key))
                        .keySet()
                        .forEach(field -> fields.put(
                                field,
                                Base64.getEncoder()
                                        .encodeToString(client.hget(
                                                key.getBytes(StandardCharsets.UTF_8),
                                                field.getBytes(StandardCharsets.UTF_8)))));
            }
        }
        return all;
    }

    private static String restored(String release) throws Exception {
        String uri = TestServers.newDatabase();
        try (Connection connection = TestServers.connect(uri);
                Statement statement = connection.createStatement()) {
            statement.execute(Releases.sample(release, DATABASE));
        }
        return uri;
    }

    /**
     * Tells what of an answer is no longer as it was. Members that a later release adds do not count, and heartbeats are not
     * in the database.
     */
    private static void compare(String at, JsonNode then, JsonNode now, List<String> differences) {
        if (then.isObject() && now.isObject()) {
            then.properties().stream()
                    .filter(m -> !m.getKey().equals("last_heartbeat_at"))
                    .forEach(m -> compare(at + "." + m.getKey(), m.getValue(), now.path(m.getKey()), differences));
        } else if (then.isArray() && now.isArray() && then.size() == now.size()) {
            for (int i = 0; i < then.size(); i++) {
                compare(at + "[" + i + "]", then.get(i), now.get(i), differences);
            }
        } else if (!then.equals(now)) {
            differences.add(at + ": " + then + " is now " + now);
        }
    }

    @Test
    void aDatabaseOfAnEarlierReleaseIsServedAsBeforeAndItsLogGoesOn() throws Exception {
        assertThat(Releases.all()).isNotEmpty();
        for (String release : Releases.all()) {
            JsonNode kept = Json.read(Releases.sample(release, ANSWERS));
            try (TestNode node = node(release, restored(release), "")) {
                Api admin = node.admin();
                List<String> differences = new java.util.ArrayList<>();
                kept.get("answers").properties().forEach(answer -> {
                    JsonNode now = answer.getKey().startsWith("evaluate ")
                            ? evaluate(admin, answer.getKey().substring(9))
                            : ok(admin.get(answer.getKey())).json();
                    compare(release + " " + answer.getKey(), answer.getValue(), now, differences);
                });
                assertThat(differences).isEmpty();
                assertThat(verified(admin)).as("the log of " + release).isTrue();
                assertThat(Api.anonymous(node.port())
                                .key(kept.get("key").asText())
                                .get("/audit")
                                .status())
                        .as("the key of " + release)
                        .isEqualTo(200);

                long last =
                        kept.at("/answers/~1changes?after=0&limit=500/items").size();
                Reply next =
                        ok(admin.put("/config/db.pool?environment=production&service_name=shop", "{\"value\":30}"));
                assertThat(next.revision()).isGreaterThan(last);
                assertThat(next.json().get("version").asInt()).isEqualTo(4);
                assertThat(admin.put("/config/b.url?environment=production", "{\"value\":1}")
                                .status())
                        .as("the schema of " + release)
                        .isEqualTo(400);
                await().until(() -> verified(admin));
            }
        }
    }

    @Test
    void theStateInRedisOfAnEarlierReleaseAnswersWithoutPostgres() throws Exception {
        for (String release : Releases.all()) {
            JsonNode kept = Json.read(Releases.sample(release, ANSWERS));
            try (TestRedis redis = new TestRedis();
                    TcpProxy nowhere = new TcpProxy(1)) {
                try (Jedis client = redis.client()) {
                    Json.read(Releases.sample(release, REDIS))
                            .properties()
                            .forEach(key -> key.getValue()
                                    .properties()
                                    .forEach(field -> client.hset(
                                            key.getKey().getBytes(StandardCharsets.UTF_8),
                                            field.getKey().getBytes(StandardCharsets.UTF_8),
                                            Base64.getDecoder()
                                                    .decode(field.getValue().asText()))));
                }
                nowhere.refuse(true);
                String postgres = "postgresql://u:p@127.0.0.1:" + nowhere.port() + "/config";
                try (TestNode node = node(release, postgres, redis.uri())) {
                    String path = "/config/service/shop?environment=production";
                    Reply layer = node.anonymous().get(path);
                    assertThat(layer.status()).as(layer.text()).isEqualTo(200);
                    assertThat(layer.text())
                            .contains("postgresql://db/app", "db.pool")
                            .doesNotContain("geheim");
                    List<String> differences = new java.util.ArrayList<>();
                    compare(release, kept.at("/answers/evaluate ann"), evaluate(node.anonymous(), "ann"), differences);
                    assertThat(differences).isEmpty();
                }
            }
        }
    }
}
