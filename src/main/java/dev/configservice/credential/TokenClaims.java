package dev.configservice.credential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.settings.AccessSettings;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The header and the claims of a JSON web token (RFC 7519), with the checks that its verifier does not make: each claim
 * has its type, the required ones are there, and the header demands no extension ({@code crit}, RFC 7515). It says
 * nothing about the signature. Every failure is {@link ErrorCode#UNAUTHENTICATED} and names the claim, never its value.
 */
final class TokenClaims {
    private static final int MAX_SUBJECT = 255;
    private static final int MAX_NAMES = 1000;
    /** The end of the year 9999, the last time that the API can show. */
    private static final long MAX_SECONDS = 253_402_300_799L;

    private final ObjectNode claims;

    private TokenClaims(ObjectNode claims) {
        this.claims = claims;
    }

    /** Reads a token of three parts. */
    static TokenClaims of(String token) {
        String[] parts = token.split("\\.", -1);
        ObjectNode header = part(parts[0], "header");
        if (header.has("crit")) {
            throw refused("its header requires an extension (crit), and this service knows none");
        }
        if (!header.path("alg").isTextual()) {
            throw refused("its header has no algorithm (alg)");
        }
        TokenClaims read = new TokenClaims(part(parts[1], "payload"));
        read.check();
        return read;
    }

    private static ObjectNode part(String text, String name) {
        try {
            if (Json.read(Base64.getUrlDecoder().decode(text)) instanceof ObjectNode object) {
                return object;
            }
        } catch (RuntimeException e) {
            // reported below, like JSON that is not an object
        }
        throw refused("its " + name + " is not a JSON object");
    }

    private void check() {
        required("iss", JsonNode::isTextual, "a string");
        required("sub", n -> n.isTextual() && isSubject(n.textValue()), "a string of 1 to 255 characters");
        required("aud", n -> n.isTextual() || isStrings(n), "a string or an array of strings");
        required("exp", TokenClaims::isTime, "a number of seconds");
        optional("nbf", TokenClaims::isTime, "a number of seconds");
        optional("iat", TokenClaims::isTime, "a number of seconds");
        optional("scope", JsonNode::isTextual, "a string of names separated by spaces");
        optional("environments", n -> n.isTextual() || isStrings(n), "a string or an array of strings");
        optional("service_names", n -> n.isTextual() || isStrings(n), "a string or an array of strings");
    }

    private static boolean isSubject(String subject) {
        return !subject.isBlank()
                && subject.length() <= MAX_SUBJECT
                && subject.chars().noneMatch(Character::isISOControl);
    }

    private static boolean isStrings(JsonNode node) {
        if (!node.isArray() || node.size() > MAX_NAMES) {
            return false;
        }
        for (JsonNode entry : node) {
            if (!entry.isTextual()) {
                return false;
            }
        }
        return true;
    }

    private static boolean isTime(JsonNode node) {
        return node.isNumber() && node.doubleValue() >= 0 && node.doubleValue() <= MAX_SECONDS;
    }

    private interface Rule {
        boolean holds(JsonNode claim);
    }

    private void required(String name, Rule rule, String expected) {
        if (!claims.has(name)) {
            throw refused("it has no claim " + name);
        }
        optional(name, rule, expected);
    }

    private void optional(String name, Rule rule, String expected) {
        JsonNode claim = claims.get(name);
        if (claim != null && !rule.holds(claim)) {
            throw refused("its claim " + name + " is not " + expected);
        }
    }

    /** Returns the caller that a verified token stands for. */
    Caller caller(AccessSettings settings) {
        String subject = claims.get("sub").textValue();
        return new Caller(
                new Actor(Actor.Type.TOKEN, subject, subject),
                null,
                settings.jwtRightsClaim().isEmpty()
                        ? ofScope(settings.jwtScopePrefix())
                        : mapped(settings.jwtRightsClaim(), settings.jwtRightsMap()),
                false,
                scope("environments"),
                scope("service_names"),
                Instant.ofEpochSecond(claims.get("exp").longValue()));
    }

    private Set<Right> ofScope(String prefix) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        for (String name : claims.path("scope").asText("").split(" ", -1)) {
            if (name.startsWith(prefix)) {
                Right.of(name.substring(prefix.length())).ifPresent(rights::add);
            }
        }
        return rights;
    }

    /** Returns the rights that a map gives to the names in a claim. The claim's name may be a path with dots. */
    private Set<Right> mapped(String path, Map<String, Set<Right>> map) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        JsonNode claim = find(path);
        if (claim == null) {
            return rights;
        }
        if (!claim.isTextual() && !isStrings(claim)) {
            throw refused("its claim " + path + " is not a string or an array of strings");
        }
        for (String name : strings(claim)) {
            rights.addAll(map.getOrDefault(name, Set.of()));
        }
        return rights;
    }

    private @Nullable JsonNode find(String path) {
        if (claims.has(path)) {
            return claims.get(path);
        }
        JsonNode node = claims;
        for (String name : path.split("\\.", -1)) {
            node = node.path(name);
        }
        return node.isMissingNode() ? null : node;
    }

    /** Returns the scope in a claim. An absent claim means no limit. A claim without names covers nothing. */
    private Scope scope(String name) {
        JsonNode claim = claims.get(name);
        if (claim == null) {
            return Scope.ALL;
        }
        List<String> names = strings(claim);
        return new Scope(names.isEmpty() ? List.of("") : names);
    }

    /** Returns the strings of an array, or the parts of a string that spaces separate. */
    private static List<String> strings(JsonNode claim) {
        if (claim.isTextual()) {
            return List.of(claim.textValue().split(" ", -1));
        }
        List<String> strings = new ArrayList<>();
        claim.forEach(s -> strings.add(s.textValue()));
        return strings;
    }

    private static ServiceException refused(String why) {
        return new ServiceException(ErrorCode.UNAUTHENTICATED, "The token is not valid: " + why);
    }
}
