package dev.configservice.registry.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.configservice.settings.AddressRange;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ActiveChecksTest {
    private static final long INTERVAL_MILLIS = 500;

    private static TestNode node;
    private static TestNode other;
    private static HttpServer instance;
    private static final AtomicInteger STATUS = new AtomicInteger(200);
    private static final List<Long> CHECKS = new CopyOnWriteArrayList<>();
    private static final AtomicInteger REDIRECTED = new AtomicInteger();

    @BeforeAll
    static void start() throws IOException {
        node = TestNode.start(Map.of(
                "CS_REGISTRY_ACTIVE_CHECKS", "true",
                "CS_REGISTRY_CHECK_ALLOW", "127.0.0.1",
                "CS_REGISTRY_CHECK_INTERVAL", INTERVAL_MILLIS + "ms",
                "CS_REGISTRY_CHECK_TIMEOUT", "300ms",
                "CS_REGISTRY_CHECK_UNHEALTHY_AFTER", "2",
                "CS_REGISTRY_CHECK_HEALTHY_AFTER", "2"));
        other = node.join();
        instance = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        instance.createContext("/health", exchange -> {
            CHECKS.add(System.nanoTime());
            exchange.sendResponseHeaders(STATUS.get(), -1);
            exchange.close();
        });
        instance.createContext("/elsewhere", exchange -> {
            exchange.getResponseHeaders().add("Location", "/well");
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        });
        instance.createContext("/well", exchange -> {
            REDIRECTED.incrementAndGet();
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        instance.start();
    }

    @AfterAll
    static void stop() {
        instance.stop(0);
        other.close();
        node.close();
    }

    private static String url(String path) {
        return "http://127.0.0.1:" + instance.getAddress().getPort() + path;
    }

    private static void register(String service, String checkUrl) {
        assertThat(node.admin()
                        .post(
                                "/registry/register",
                                "{\"service_name\":\"" + service + "\",\"service_url\":\"http://10.0.0.1:1\","
                                        + "\"health_check_url\":\"" + checkUrl + "\",\"lease_seconds\":600}")
                        .status())
                .isEqualTo(200);
    }

    private static void awaitStatus(String service, String status) {
        await().atMost(Duration.ofSeconds(15))
                .untilAsserted(() -> assertThat(
                                node.anonymous().get("/registry/" + service).field("status"))
                        .isEqualTo(status));
    }

    @Test
    void checksOfOneNodeAtATimeChangeTheStatusOfAnInstance() {
        STATUS.set(500);
        register("checked", url("/health"));
        awaitStatus("checked", "unhealthy");
        STATUS.set(204);
        awaitStatus("checked", "healthy");

        assertThat(CHECKS.size()).isGreaterThanOrEqualTo(4);
        for (int i = 1; i < CHECKS.size(); i++) {
            // if both nodes checked, two checks would be closer than one interval minus its jitter and one tick
            assertThat(Duration.ofNanos(CHECKS.get(i) - CHECKS.get(i - 1)))
                    .isGreaterThan(Duration.ofMillis(INTERVAL_MILLIS / 2));
        }
        assertThat(node.anonymous().get("/changes?service_name=checked").text())
                .doesNotContain("check_failing")
                .contains("status_changed");
    }

    @Test
    void checksDoNotOverruleTheStatusThatAnInstanceReports() {
        register("honest", url("/well"));
        assertThat(node.admin()
                        .put(
                                "/registry/health",
                                "{\"service_name\":\"honest\",\"service_url\":\"http://10.0.0.1:1\","
                                        + "\"status\":\"unhealthy\"}")
                        .field("status"))
                .isEqualTo("unhealthy");
        int before = REDIRECTED.get();
        await().atMost(Duration.ofSeconds(15)).until(() -> REDIRECTED.get() >= before + 4);
        assertThat(node.anonymous().get("/registry/honest").field("status")).isEqualTo("unhealthy");
    }

    private static AddressRange range(String text) {
        return java.util.Objects.requireNonNull(AddressRange.of(text));
    }

    @Test
    void aFailingCheckKeepsAnInstanceOutWhateverItSays() {
        register("kept-out", url("/elsewhere"));
        awaitStatus("kept-out", "unhealthy");
        String beat = "{\"service_name\":\"kept-out\",\"service_url\":\"http://10.0.0.1:1\",\"status\":\"%s\"}";
        for (String said : List.of("healthy", "starting", "healthy")) {
            assertThat(node.admin()
                            .put("/registry/health", beat.formatted(said))
                            .field("status"))
                    .isEqualTo("unhealthy");
        }
        register("kept-out", url("/elsewhere"));
        assertThat(node.anonymous().get("/registry/kept-out").field("status")).isEqualTo("unhealthy");
        // another address has to be checked before it counts
        register("kept-out", url("/well"));
        awaitStatus("kept-out", "healthy");
    }

    @Test
    void aCheckUrlWithCredentialsIsUsedButNeverShown() {
        AtomicReference<String> sent = new AtomicReference<>("");
        instance.createContext("/guarded", exchange -> {
            sent.set(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        register("guarded", url("/guarded").replace("http://", "http://user:pa%73s@") + "?token=t0ken");
        await().atMost(Duration.ofSeconds(15))
                .until(() -> !String.valueOf(sent.get()).isEmpty());
        assertThat(new String(
                        java.util.Base64.getDecoder()
                                .decode(String.valueOf(sent.get()).substring("Basic ".length())),
                        java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("user:pass");
        for (String path : List.of(
                "/registry/guarded",
                "/registry/guarded/instances",
                "/registry/healthy?service_name=guarded",
                "/changes?service_name=guarded",
                "/audit?resource_id=guarded")) {
            assertThat(node.admin().get(path).text()).doesNotContain("user:").doesNotContain("t0ken");
        }
        assertThat(node.admin().get("/registry/guarded").field("health_check_url"))
                .isEqualTo(url("/guarded"));
        assertThat(node.admin()
                        .post(
                                "/registry/register",
                                "{\"service_name\":\"guarded\",\"service_url\":\"http://user:secret@a:1\"}")
                        .wrongFields())
                .containsExactly("service_url");
    }

    @Test
    void aRedirectIsNotFollowed() {
        register("redirects", url("/elsewhere"));
        awaitStatus("redirects", "unhealthy");
    }

    @Test
    void anInstanceThatDoesNotRespondIsUnhealthy() throws IOException {
        try (ServerSocket hung = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            register("hangs", "http://127.0.0.1:" + hung.getLocalPort() + "/");
            awaitStatus("hangs", "unhealthy");
        }
    }

    @Test
    void addressesOfMetadataServicesAreNotCalled() {
        register("metadata", "http://169.254.169.254/latest/meta-data");
        awaitStatus("metadata", "unhealthy");
        double refused = List.of(node, other).stream()
                .flatMap(n -> n.anonymous().get("/metrics").text().lines())
                .filter(l -> l.startsWith("config_service_health_checks_total{") && l.contains("outcome=\"refused\""))
                .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
        assertThat(refused).isGreaterThanOrEqualTo(2);
    }

    @Test
    void reservedAddressesAreNeverChecked() throws IOException {
        for (String address : List.of(
                "169.254.1.1",
                "fe80::1",
                "64:ff9b::a9fe:a9fe",
                "::a9fe:a9fe",
                "2002:a9fe:a9fe::1",
                "168.63.129.16",
                "::ffff:169.254.169.254",
                "fd00:ec2::254",
                "100.100.100.200",
                "0.0.0.0",
                "0.1.2.3",
                "127.0.0.1",
                "127.1.2.3",
                "::1",
                "::ffff:127.0.0.1",
                "64:ff9b::7f00:1",
                "fd20:ce::254",
                "224.0.0.1")) {
            assertThat(CheckTarget.isRefused(InetAddress.getByName(address), List.of()))
                    .as(address)
                    .isTrue();
        }
        for (String address : List.of("10.0.0.1", "fd00::1", "8.8.8.8", "64:ff9b::808:808")) {
            assertThat(CheckTarget.isRefused(InetAddress.getByName(address), List.of()))
                    .as(address)
                    .isFalse();
        }
        List<AddressRange> allowed = List.of(range("127.0.0.0/8"), range("fe80::/10"));
        for (String address : List.of("127.0.0.1", "127.9.9.9", "fe80::1", "64:ff9b::7f00:1")) {
            assertThat(CheckTarget.isRefused(InetAddress.getByName(address), allowed))
                    .as(address)
                    .isFalse();
        }
        assertThat(CheckTarget.isRefused(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), List.of()))
                .isTrue();
        assertThat(CheckTarget.path(URI.create("http://h?x=1#f"))).isEqualTo("/?x=1");
        assertThat(node.admin()
                        .post(
                                "/registry/register",
                                "{\"service_name\":\"s\",\"service_url\":\"http://a:1\","
                                        + "\"health_check_url\":\"ftp://a/\"}")
                        .wrongFields())
                .containsExactly("health_check_url");
    }
}
