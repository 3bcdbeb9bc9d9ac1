package dev.configservice.settings;

/** The keyset that seals encrypted values: a file, or its JSON text; empty if there is none. */
public record SecretsSettings(String keyset) {
    static SecretsSettings from(Section s) {
        return new SecretsSettings(s.text("keyset"));
    }

    /** A keyset is a secret: it does not show in a text. */
    @Override
    public String toString() {
        return "SecretsSettings[keyset=" + (keyset.isEmpty() ? "" : "(not shown)") + "]";
    }
}
