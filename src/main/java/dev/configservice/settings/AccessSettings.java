package dev.configservice.settings;

import dev.configservice.access.Right;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The admin key, the JWTs that the service accepts, and whether reads need a key. All other keys are in the database.
 * {@code maxStale} is the time for which a node that is cut off from the log still trusts the keys that it knows, and
 * {@code tokenKeyMaxAge} the longest lifetime of a key that is made with a token.
 */
public record AccessSettings(
        String adminKey,
        boolean anonymousReads,
        Duration maxStale,
        String jwtIssuer,
        String jwtAudience,
        String jwtJwks,
        String jwtSecret,
        String jwtScopePrefix,
        String jwtRightsClaim,
        Map<String, Set<Right>> jwtRightsMap,
        Duration tokenKeyMaxAge) {

    static final String EMBEDDED_ADMIN_KEY = "admin-key";

    static AccessSettings from(Section s, boolean embedded) {
        String key = s.text("admin-key");
        String issuer = s.plain("jwt-issuer");
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
        String audience = s.plain("jwt-audience");
        if (!issuer.isEmpty() && audience.isEmpty()) {
            s.problem("jwt-audience", "", "the audience (aud) of this service, because access.jwt-issuer is set");
        }
        String claim = s.plain("jwt-rights-claim");
        Map<String, Set<Right>> map = rightsMap(s);
        if (claim.isEmpty() != map.isEmpty()) {
            s.problem("jwt-rights-map", "", "set together with access.jwt-rights-claim, or neither of them");
        }
        return new AccessSettings(
                key,
                s.bool("anonymous-reads"),
                s.duration("max-stale"),
                issuer,
                audience,
                jwks,
                secret,
                s.plain("jwt-scope-prefix"),
                claim,
                map,
                s.duration("token-key-max-age"));
    }

    /** Reads a map such as {@code ops=admin,dev=config:write flags:write}. */
    private static Map<String, Set<Right>> rightsMap(Section s) {
        Map<String, Set<Right>> map = new HashMap<>();
        for (String entry : s.list("jwt-rights-map")) {
            int equals = entry.lastIndexOf('=');
            Set<Right> rights = EnumSet.noneOf(Right.class);
            boolean known = equals > 0;
            for (String name : entry.substring(equals + 1).strip().split(" +", -1)) {
                known &= Right.of(name).map(rights::add).orElse(false);
            }
            if (!known) {
                s.problem("jwt-rights-map", entry, "name=right, or several rights separated by spaces");
            }
            map.put(entry.substring(0, Math.max(equals, 0)).strip(), rights);
        }
        return map;
    }

    /** Tells whether the admin key is the well-known one of the embedded mode. */
    public boolean isDefaultKey() {
        return adminKey.equals(EMBEDDED_ADMIN_KEY);
    }

    /** Omits keys and secrets. */
    @Override
    public String toString() {
        return "AccessSettings[anonymousReads=" + anonymousReads + ", maxStale=" + maxStale + ", jwtIssuer=" + jwtIssuer
                + "]";
    }
}
