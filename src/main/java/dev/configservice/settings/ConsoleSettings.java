package dev.configservice.settings;

import java.util.List;

/**
 * The web console.
 *
 * @param production the names of environments in which a write is confirmed with their name; {@code *} at the end matches
 *     any rest
 * @param commentRequired whether a write in one of them needs a comment
 * @param oidcClientId the client id with which a browser signs in at the issuer of tokens; empty for none
 */
public record ConsoleSettings(boolean enabled, List<String> production, boolean commentRequired, String oidcClientId) {
    static ConsoleSettings from(Section s) {
        return new ConsoleSettings(
                s.bool("enabled"), s.list("production"), s.bool("comment-required"), s.plain("oidc-client-id"));
    }
}
