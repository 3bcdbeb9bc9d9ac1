package dev.configservice.access;

import java.util.Arrays;
import java.util.Optional;

/** The rights that a caller can be granted. */
public enum Right {
    /** Reading what is not encrypted, where anonymous reads are off. */
    READ("read"),
    CONFIG_WRITE("config:write"),
    FLAGS_WRITE("flags:write"),
    REGISTRY_WRITE("registry:write"),
    SECRETS_READ("secrets:read"),
    AUDIT_READ("audit:read"),
    KEYS_WRITE("keys:write"),
    /** All of them. */
    ADMIN("admin");

    private final String text;

    Right(String text) {
        this.text = text;
    }

    /** As it stands in the API, in a key and in a token's scope. */
    public String text() {
        return text;
    }

    public static Optional<Right> of(String text) {
        return Arrays.stream(values()).filter(r -> r.text.equals(text)).findFirst();
    }
}
