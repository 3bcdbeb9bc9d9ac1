package dev.configservice.settings;

import java.time.Duration;

/** The callers that may use the service, besides the keys in the database. */
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
            s.problem("admin-key", "", "a text of 16 characters or more, or access.jwt-issuer");
        } else if (!key.isEmpty() && key.length() < 16 && !embedded) {
            s.problem("admin-key", "(not shown)", "16 characters or more");
        }
        if (!issuer.isEmpty() && jwks.isEmpty() == secret.isEmpty()) {
            s.problem("jwt-issuer", issuer, "either access.jwt-jwks or access.jwt-secret as well");
        }
        if (issuer.isEmpty() && (!jwks.isEmpty() || !secret.isEmpty())) {
            s.problem("jwt-issuer", "", "the issuer of the tokens that access.jwt-jwks or access.jwt-secret checks");
        }
        if (!secret.isEmpty() && secret.length() < 32) {
            s.problem("jwt-secret", "(not shown)", "32 characters or more");
        }
        return new AccessSettings(
                key, s.bool("anonymous-reads"), s.duration("max-stale"), issuer, s.text("jwt-audience"), jwks, secret);
    }

    /** Keys and secrets do not show in a text. */
    @Override
    public String toString() {
        return "AccessSettings[anonymousReads=" + anonymousReads + ", maxStale=" + maxStale + ", jwtIssuer=" + jwtIssuer
                + "]";
    }
}
