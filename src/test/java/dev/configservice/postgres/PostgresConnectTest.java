package dev.configservice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Certificates;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes on databases as people have them: TLS, schemas, several servers, roles with few rights. */
@Tag("servers")
class PostgresConnectTest {
    private static TestNode start(String uri) {
        return TestNode.start(Map.of("CS_POSTGRES_URI", uri, "CS_REDIS_URI", ""));
    }

    private static void works(TestNode node, String key) {
        Reply created =
                node.admin().post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"connect\"}");
        assertThat(created.status()).as(created.text()).isEqualTo(201);
        assertThat(node.anonymous()
                        .get("/config/" + key + "?environment=connect")
                        .status())
                .isEqualTo(200);
        assertThat(node.anonymous().get("/config/?environment=connect").status())
                .isEqualTo(200);
    }

    private static void refused(String uri, String reason) {
        assertThatThrownBy(() -> start(uri).close())
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining(reason)
                .message()
                .doesNotContain("hush");
    }

    @Test
    void connectionsAreEncryptedAndTheServerIsVerifiedAsAsked(@TempDir Path directory) throws IOException {
        Certificates.make(directory, "server");
        Certificates.make(directory, "other");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(directory.resolve("server.key"), PosixFilePermissions.fromString("rw-------"));
        try (TestPostgres postgres = new TestPostgres()) {
            postgres.useTls(directory.resolve("server.pem"), directory.resolve("server.key"));
            String encrypted = "select count(*) from pg_stat_ssl s join pg_stat_activity a using (pid)"
                    + " where a.application_name = 'config-service' and ";
            for (String mode : new String[] {
                "sslmode=require",
                "sslmode=prefer",
                "sslmode=verify-ca&sslrootcert=" + directory.resolve("server.pem"),
                "sslmode=verify-full&sslrootcert=" + directory.resolve("server.pem")
            }) {
                try (TestNode node = start(postgres.uri() + "?" + mode)) {
                    works(node, "k" + mode.hashCode());
                    assertThat(TestNode.sql(postgres.uri(), encrypted + "not s.ssl")
                                    .get(0))
                            .as(mode)
                            .containsExactly("0");
                    assertThat(TestNode.sql(postgres.uri(), encrypted + "s.ssl").get(0))
                            .as(mode)
                            .isNotEqualTo(java.util.List.of("0"));
                }
            }
            // a server that is not the right one is not used: the node waits for it
            try (TestNode node =
                    start(postgres.uri() + "?sslmode=verify-full&sslrootcert=" + directory.resolve("other.pem"))) {
                assertThat(node.anonymous().get("/config/k?environment=connect").status())
                        .isEqualTo(503);
            }
        }
    }

    @Test
    void aClientIsKnownByItsCertificate(@TempDir Path directory) throws IOException {
        Certificates.make(directory, "server");
        Certificates.make(directory, "client");
        Certificates.make(directory, "stranger");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String name : new String[] {"server", "client", "stranger"}) {
            Files.setPosixFilePermissions(
                    directory.resolve(name + ".key"), PosixFilePermissions.fromString("rw-------"));
        }
        try (TestPostgres postgres = new TestPostgres()) {
            TestNode.sql(postgres.uri(), "create role client login");
            TestNode.sql(postgres.uri(), "grant create, usage on schema public to client");
            TestNode.sql(postgres.uri(), "alter system set ssl_ca_file = '" + directory.resolve("client.pem") + "'");
            postgres.useTls(directory.resolve("server.pem"), directory.resolve("server.key"));
            postgres.admit("hostssl all client all cert", "host all client all reject");
            String uri = postgres.uri().replace("postgres@", "client@") + "?sslmode=verify-full&sslrootcert="
                    + directory.resolve("server.pem");
            String certificate = "&sslcert=%s&sslkey=%s";

            try (TestNode node = start(
                    uri + certificate.formatted(directory.resolve("client.pem"), directory.resolve("client.key")))) {
                works(node, "k");
            }
            refused(uri, "certificate");
            Files.setPosixFilePermissions(
                    directory.resolve("client.key"), PosixFilePermissions.fromString("rw-rw-rw-"));
            refused(
                    uri + certificate.formatted(directory.resolve("client.pem"), directory.resolve("client.key")),
                    "client.key");
            refused(
                    uri + certificate.formatted(directory.resolve("stranger.pem"), directory.resolve("stranger.key")),
                    "certificate");
        }
    }

    @Test
    void aServerThatNeverAnswersGathersNoConnectionsAndIsReachedOnceItDoes() {
        try (TestPostgres postgres = new TestPostgres();
                TcpProxy proxy = new TcpProxy(postgres.port())) {
            proxy.silence(true);
            try (TestNode node = start("postgresql://postgres@127.0.0.1:" + proxy.port() + "/postgres")) {
                await().atMost(Duration.ofMinutes(1)).until(() -> {
                    // reads, lists and writes each try on connections of their own
                    assertThat(node.anonymous()
                                    .get("/config/k?environment=connect")
                                    .status())
                            .isEqualTo(503);
                    assertThat(node.anonymous()
                                    .get("/config/?environment=connect")
                                    .status())
                            .isEqualTo(503);
                    assertThat(proxy.unanswered()).isLessThan(40);
                    return proxy.swallowed() > 30;
                });

                proxy.silence(false);
                await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> works(node, "after-" + System.nanoTime()));
            }
        }
    }

    @Test
    void everythingLivesInTheSchemaOfTheSearchPathForARoleWithoutFurtherRights() {
        try (TestPostgres postgres = new TestPostgres()) {
            TestNode.sql(postgres.uri(), "create role plain login password 'hush+$=='");
            TestNode.sql(postgres.uri(), "create schema mine authorization plain");
            String uri = postgres.uri().replace("postgres@", "plain:hush+$==@") + "?search_path=mine";

            try (TestNode node = start(uri)) {
                works(node, "k");
            }
            assertThat(TestNode.sql(
                                    postgres.uri(),
                                    "select count(*) from information_schema.tables where table_schema = 'public'")
                            .get(0))
                    .containsExactly("0");
            try (TestNode again = start(uri)) {
                works(again, "k2");
            }
        }
    }

    @Test
    void whatCannotWorkIsRefusedAtTheStart() {
        try (TestPostgres postgres = new TestPostgres()) {
            TestNode.sql(postgres.uri(), "create role plain login password 'hush'");
            TestNode.sql(postgres.uri(), "create database latin encoding 'LATIN1' locale 'C' template template0");
            TestNode.sql(postgres.uri(), "create database used");
            String base = postgres.uri().substring(0, postgres.uri().lastIndexOf('/') + 1);
            TestNode.sql(base + "used", "create table somebodys (id int)");
            String plain = postgres.uri().replace("postgres@", "plain:hush@");

            refused(base + "latin", "UTF8");
            refused(base + "used", "schema of its own");
            refused(base + "missing", "does not exist");
            refused(plain, "grant create on schema");
            refused(postgres.uri() + "?search_path=nowhere", "first schema exists");
            refused(postgres.uri() + "?sslmode=verify-full", "sslrootcert");
        }
    }

    @Test
    void aNodeFollowsThePrimaryFromOneServerToAnother() {
        try (TestPostgres first = new TestPostgres();
                TestPostgres second = first.standby()) {
            String uri = "postgresql://postgres@127.0.0.1:" + second.port() + ",127.0.0.1:" + first.port()
                    + "/postgres?target_session_attrs=read-write";
            try (TestNode node = start(uri)) {
                works(node, "before");

                first.kill();
                TestNode.sql(second.uri(), "alter system set synchronous_standby_names = ''");
                TestNode.sql(second.uri(), "select pg_promote()");

                await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> works(node, "after-" + System.nanoTime()));
                assertThat(node.anonymous()
                                .get("/config/before?environment=connect")
                                .status())
                        .isEqualTo(200);
            }
        }
    }
}
