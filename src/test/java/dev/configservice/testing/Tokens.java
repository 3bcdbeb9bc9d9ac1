package dev.configservice.testing;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.PubSecKeyOptions;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Tokens of an issuer, and its key set. */
public final class Tokens {
    private Tokens() {}

    /**
     * Returns a token for audience {@code config} with the right to write configurations of environment {@code dev}.
     */
    public static String signed(String secret, String issuer, int seconds) {
        Vertx vertx = Vertx.vertx();
        try {
            return JWTAuth.create(
                            vertx,
                            new JWTAuthOptions()
                                    .addPubSecKey(new PubSecKeyOptions()
                                            .setAlgorithm("HS256")
                                            .setBuffer(secret)))
                    .generateToken(
                            new JsonObject()
                                    .put("sub", "ci")
                                    .put("scope", "config:write")
                                    .put("environments", new JsonArray().add("dev"))
                                    .put("exp", Instant.now().getEpochSecond() + seconds),
                            new JWTOptions()
                                    .setIssuer(issuer)
                                    .addAudience("config")
                                    .setAlgorithm("HS256"));
        } finally {
            vertx.close();
        }
    }

    /** Returns a token of any header and claims, signed with HS256 whatever the header says. */
    public static String of(String secret, String header, String claims) {
        String content = base64(header) + "." + base64(claims);
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return content + "."
                    + Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(mac.doFinal(content.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns a token with the same claims, but without a signature. */
    public static String unsigned(String token) {
        return base64("{\"alg\":\"none\"}") + token.substring(token.indexOf('.'), token.lastIndexOf('.'));
    }

    /** Returns a JSON web key set with one shared secret. */
    public static String keySet(String secret) {
        return "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"" + base64(secret) + "\"}]}";
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
