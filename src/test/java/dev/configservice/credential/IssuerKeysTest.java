package dev.configservice.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.configservice.settings.AccessSettings;
import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Tokens;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.ext.auth.authentication.TokenCredentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An issuer that replaces its keys, or whose keys cannot be read. */
class IssuerKeysTest {
    private static final String ISSUER = "https://issuer.example";
    private static final String FIRST = "the-first-secret-of-an-issuer-in-tests";
    private static final String SECOND = "the-second-secret-of-an-issuer-in-tests";

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private volatile String answer = Tokens.keySet(FIRST);
    private volatile int status = 200;
    private volatile @Nullable CountDownLatch stall;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/keys", exchange -> {
            byte[] body = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            CountDownLatch until = stall;
            if (until != null) {
                exchange.getResponseBody().flush();
                awaitEnd(until);
            }
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.setExecutor(threads);
        server.start();
    }

    private static void awaitEnd(CountDownLatch end) {
        try {
            assertThat(end.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
        vertx.close().await();
    }

    private IssuerKeys keys() {
        String place = "http://127.0.0.1:" + server.getAddress().getPort() + "/keys";
        IssuerKeys keys = new IssuerKeys(
                vertx,
                new AccessSettings(
                        "",
                        true,
                        Duration.ofMinutes(1),
                        ISSUER,
                        "config",
                        place,
                        "",
                        "",
                        "",
                        Map.of(),
                        Duration.ofDays(90)),
                Duration.ofMillis(20),
                meters);
        keys.start();
        return keys;
    }

    private boolean takes(IssuerKeys keys, String secret) {
        String token = Tokens.signed(secret, ISSUER, 60);
        try {
            keys.auth()
                    .authenticate(new TokenCredentials(token))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            return false;
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    private double failures() {
        return meters.counter("config_service_issuer_key_failures").count();
    }

    @Test
    void keysThatTheIssuerReplacesAreReadAgain() {
        IssuerKeys keys = keys();
        assertThat(takes(keys, FIRST)).isTrue();
        assertThat(takes(keys, SECOND)).isFalse();
        answer = Tokens.keySet(SECOND);
        await().until(() -> takes(keys, SECOND));
        assertThat(takes(keys, FIRST)).isFalse();
        assertThat(failures()).isZero();
    }

    @Test
    void theLastKeysStayInUseWhileNewOnesCannotBeRead() {
        IssuerKeys keys = keys();
        for (String bad : new String[] {
            "<html>",
            "{\"keys\":[]}",
            "{\"keys\":[1]}",
            "[]",
            "{\"keys\":[{}]}",
            // Vert.x skips these keys; without any key it would accept unsigned tokens
            "{\"keys\":[{\"kty\":\"unheard-of\"}]}",
            "{\"keys\":[{\"kty\":\"oct\"}]}",
            "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\",\"alg\":\"RSA-OAEP\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}"
        }) {
            double before = failures();
            answer = bad;
            await().until(() -> failures() > before + 1);
            assertThat(takes(keys, FIRST)).isTrue();
        }
        double before = failures();
        status = 500;
        answer = Tokens.keySet(SECOND);
        await().until(() -> failures() > before + 1);
        assertThat(takes(keys, FIRST)).isTrue();
        status = 200;
        await().until(() -> takes(keys, SECOND));
    }

    @Test
    void keysAreReadAgainAfterAResponseThatStalls() throws InterruptedException {
        IssuerKeys keys = keys();
        CountDownLatch ended = new CountDownLatch(1);
        stall = ended;
        await().atMost(Duration.ofSeconds(30)).until(() -> failures() > 0);
        stall = null;
        ended.countDown();
        answer = Tokens.keySet(SECOND);
        await().until(() -> takes(keys, SECOND));
    }

    @Test
    void aStartWithoutKeysFailsWithTheReason() {
        status = 404;
        assertThatThrownBy(this::keys)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("access.jwt-jwks")
                .hasMessageContaining("status 404");
    }
}
