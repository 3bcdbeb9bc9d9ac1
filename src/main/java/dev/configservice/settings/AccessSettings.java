package dev.configservice.settings;

import java.time.Duration;

/**
 * The admin key, the JWTs that the service accepts, and whether reads need a key. All other keys are in the database.
 * {@code maxStale} is the time for which a node that is cut off from the log still trusts the keys that it knows.
 */
public record AccessSettings(
        String adminKey,
        boolean anonymousReads,
        Duration maxStale,
        String jwtIssuer,
        String jwtAudience,
        String jwtJwks,
        String jwtSecret) {

    static final String EMBEDDED_ADMIN_KEY = "admin-key";

    static AccessSettings from(Section s, boolean embedded) {
        String key = s.text("admin-key");
        String issuer = s.text("jwt-issuer");
        String jwks = s.text("jwt-jwks");
        String secret = s.text("jwt-secret");
        if (key.isEmpty() && embedded) {
            key = EMBEDDED_ADMIN_KEY;
        } else if (key.isEmpty() && issuer.isEmpty()) {
            s.problem("admin-key", "", "a string of 16 characters or more, or access.jwt-issuer");
        } else if (!key.isEmpty() && key.length() < 16 && !embedded) {
            s.problem("admin-key", "(not shown)", "16 characters or more");
        }
        if (!issuer.isEmpty() && jwks.isEmpty() == secret.isEmpty()) {
            s.problem("jwt-issuer", issuer, "set together with either access.jwt-jwks or access.jwt-secret");
        }
        if (issuer.isEmpty() && (!jwks.isEmpty() || !secret.isEmpty())) {
            s.problem("jwt-issuer", "", "the issuer of tokens, because access.jwt-jwks or access.jwt-secret is set");
        }
        if (!secret.isEmpty() && secret.length() < 32) {
            s.problem("jwt-secret", "(not shown)", "32 characters or more");
        }
        return new AccessSettings(
                key, s.bool("anonymous-reads"), s.duration("max-stale"), issuer, s.text("jwt-audience"), jwks, secret);
    }

    /** Omits keys and secrets. */
    @Override
    public String toString() {
        return "AccessSettings[anonymousReads=" + anonymousReads + ", maxStale=" + maxStale + ", jwtIssuer=" + jwtIssuer
                + "]";
    }
}
