package dev.configservice.credential;

import dev.configservice.settings.AccessSettings;
import dev.configservice.settings.SettingsException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.PubSecKeyOptions;
import io.vertx.ext.auth.authentication.TokenCredentials;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that tokens are verified with: a shared secret, or the key set of the issuer (RFC 7517) from a file or a
 * URL. The set is first read when the service starts. If it cannot be read, the start fails. Since issuers replace
 * their keys, it is then read again at intervals. If one of these reads fails, the last keys stay in use.
 */
final class IssuerKeys {
    private static final Logger log = LoggerFactory.getLogger(IssuerKeys.class);
    private static final Duration READ_DEADLINE = Duration.ofSeconds(5);

    private final Vertx vertx;
    private final AccessSettings settings;
    private final Duration every;
    private final Counter failures;

    /** Null if the keys do not come from a URL. */
    private final @Nullable HttpClient http;

    private volatile JWTAuth auth;
    private String readLast;
    private boolean failing;

    /**
     * Reads the keys. Fails with {@link SettingsException} if there are none.
     *
     * @param every the minimum pause between two reads of the key set
     */
    IssuerKeys(Vertx vertx, AccessSettings settings, Duration every, MeterRegistry meters) {
        this.vertx = vertx;
        this.settings = settings;
        this.every = every;
        this.failures = Counter.builder("config_service_issuer_key_failures")
                .description("Failed attempts to read the keys of the token issuer again")
                .register(meters);
        String place = settings.jwtJwks();
        this.http = place.startsWith("http://") || place.startsWith("https://")
                ? HttpClient.newBuilder()
                        .connectTimeout(READ_DEADLINE)
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .build()
                : null;
        if (settings.jwtSecret().isEmpty()) {
            try {
                this.readLast = read();
                this.auth = auth(readLast);
            } catch (IOException | RuntimeException e) {
                throw new SettingsException(
                        "access.jwt-jwks: " + place + " (expected: a file or URL with a JSON web key set; " + e + ")");
            }
        } else {
            this.readLast = "";
            this.auth = JWTAuth.create(
                    vertx,
                    rules().addPubSecKey(
                                    new PubSecKeyOptions().setAlgorithm("HS256").setBuffer(settings.jwtSecret())));
        }
    }

    /** Starts to read the key set at intervals. */
    void start() {
        if (settings.jwtSecret().isEmpty()) {
            again();
        }
    }

    /** Returns the verifier for tokens, with the current keys. */
    JWTAuth auth() {
        return auth;
    }

    private JWTAuthOptions rules() {
        JWTOptions rules = new JWTOptions().setIssuer(settings.jwtIssuer()).setLeeway(5);
        if (!settings.jwtAudience().isEmpty()) {
            rules.addAudience(settings.jwtAudience());
        }
        return new JWTAuthOptions().setJWTOptions(rules);
    }

    private JWTAuth auth(String keySet) throws IOException {
        JWTAuthOptions options = rules();
        try {
            JsonArray keys = new JsonObject(keySet).getJsonArray("keys");
            if (keys == null || keys.isEmpty()) {
                throw new IOException("it contains no keys");
            }
            for (Object key : keys) {
                JsonObject jwk = (JsonObject) key;
                if (jwk.getString("kty") == null) {
                    throw new IOException("it contains a key without a kty");
                }
                options.addJwk(jwk);
            }
        } catch (DecodeException | ClassCastException e) {
            // the message of the cause quotes the key set, which may contain a secret
            throw new IOException("it is not a JSON web key set");
        }
        JWTAuth made = JWTAuth.create(vertx, options);
        if (takesUnsigned(made)) {
            throw new IOException("it contains no key that can verify a token");
        }
        return made;
    }

    /**
     * Tells whether a verifier would accept unsigned tokens. Vert.x leaves out the keys of a set that it cannot use,
     * and with no key left it accepts tokens that nobody signed.
     */
    private boolean takesUnsigned(JWTAuth auth) {
        JsonObject claims = new JsonObject().put("iss", settings.jwtIssuer());
        if (!settings.jwtAudience().isEmpty()) {
            claims.put("aud", new JsonArray().add(settings.jwtAudience()));
        }
        String unsigned = part(new JsonObject().put("alg", "none")) + "." + part(claims);
        return auth.authenticate(new TokenCredentials(unsigned)).succeeded();
    }

    private static String part(JsonObject json) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(json.toBuffer().getBytes());
    }

    private void again() {
        // the jitter keeps the nodes of a cluster from asking all at once
        long jitter = ThreadLocalRandom.current().nextLong(every.toMillis() / 4 + 1);
        vertx.setTimer(
                every.toMillis() + jitter,
                t -> vertx.executeBlocking(this::refresh).onComplete(v -> again()));
    }

    private boolean refresh() {
        try {
            String keySet = read();
            if (!keySet.equals(readLast)) {
                auth = auth(keySet);
                readLast = keySet;
                log.info("access.issuer-keys-replaced");
            }
            failing = false;
        } catch (IOException | RuntimeException e) {
            failures.increment();
            if (!failing) {
                // the location of the keys is not logged: a URL may contain a secret
                log.warn("access.issuer-keys-not-read cause={}; the last keys stay in use", e.toString());
            }
            failing = true;
        }
        return !failing;
    }

    private String read() throws IOException {
        if (http == null) {
            return Files.readString(Path.of(settings.jwtJwks()));
        }
        try {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(settings.jwtJwks())).build();
            // a timeout of the request itself would not cover the body, only the headers
            CompletableFuture<HttpResponse<String>> answer =
                    http.sendAsync(request, HttpResponse.BodyHandlers.ofString());
            HttpResponse<String> response;
            try {
                response = answer.get(READ_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
            } finally {
                answer.cancel(true);
            }
            if (response.statusCode() != 200) {
                throw new IOException("status " + response.statusCode());
            }
            return response.body();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("no response within " + READ_DEADLINE.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
