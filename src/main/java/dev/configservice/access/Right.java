package dev.configservice.access;

import java.util.Arrays;
import java.util.Optional;

/** The rights that a caller can be granted. */
public enum Right {
    /** The right to read everything that is not encrypted. It is needed only if anonymous reads are off. */
    READ("read"),
    CONFIG_WRITE("config:write"),
    FLAGS_WRITE("flags:write"),
    REGISTRY_WRITE("registry:write"),
    SECRETS_READ("secrets:read"),
    AUDIT_READ("audit:read"),
    KEYS_WRITE("keys:write"),
    /** All rights. */
    ADMIN("admin");

    private final String text;

    Right(String text) {
        this.text = text;
    }

    /** Returns the name of the right in the API, in keys and in the {@code scope} claim of tokens. */
    public String text() {
        return text;
    }

    public static Optional<Right> of(String text) {
        return Arrays.stream(values()).filter(r -> r.text.equals(text)).findFirst();
    }
}
