package dev.configservice.load;

import static io.gatling.javaapi.http.HttpDsl.http;

import io.gatling.javaapi.http.HttpProtocolBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The target and amount of the load: {@code -Dtarget=http://host:port} (by default the service that the command
 * beside this starts), {@code -Dkey=} (admin-key), {@code -Dseconds=} (30), {@code -Dusers=} (its meaning depends on
 * the simulation), {@code -Dp99=} (the limit in milliseconds, 1000).
 */
final class Target {
    static final String BASE = System.getProperty("target", "http://127.0.0.1:18082") + "/api/v1";
    static final String AUTHORIZATION = "ApiKey " + System.getProperty("key", "admin-key");
    static final Duration DURATION = Duration.ofSeconds(Long.getLong("seconds", 30));
    static final int P99 = Integer.getInteger("p99", 1000);
    static final int SERVICES = 20;
    static final int KEYS = 20;

    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private Target() {}

    static int users(int otherwise) {
        return Integer.getInteger("users", otherwise);
    }

    static HttpProtocolBuilder protocol() {
        return http.baseUrl(BASE).shareConnections().disableCaching();
    }

    static int random(int bound) {
        return ThreadLocalRandom.current().nextInt(bound);
    }

    /** Writes what the simulations read; what is there already stays. */
    static void seed() {
        for (int s = 0; s < SERVICES; s++) {
            for (int k = 0; k < KEYS; k++) {
                post("/config", "{\"key\":\"key-" + k + "\",\"value\":\"value-" + k
                        + "\",\"environment\":\"load\",\"service_name\":\"service-" + s + "\"}");
            }
            post("/registry/register", "{\"service_name\":\"service-" + s + "\",\"service_url\":\"http://host-" + s
                    + ":8080\",\"lease_seconds\":3600}");
            post("/feature-flags", "{\"name\":\"flag-" + s
                    + "\",\"environment\":\"load\",\"is_enabled\":true,\"rollout_percentage\":50}");
        }
    }

    private static void post(String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(BASE + path))
                .header("Authorization", AUTHORIZATION)
                .POST(BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = CLIENT.send(request, BodyHandlers.ofString());
            if (response.statusCode() >= 300 && response.statusCode() != 409) {
                throw new IllegalStateException(path + " answered " + response.statusCode() + " " + response.body());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
