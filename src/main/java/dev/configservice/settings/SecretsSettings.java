package dev.configservice.settings;

/** The keyset that seals encrypted values: the path of a file, or the JSON itself; empty if there is none. */
public record SecretsSettings(String keyset) {
    static SecretsSettings from(Section s) {
        return new SecretsSettings(s.text("keyset"));
    }

    /** Omits the keyset, which is a secret. */
    @Override
    public String toString() {
        return "SecretsSettings[keyset=" + (keyset.isEmpty() ? "" : "(not shown)") + "]";
    }
}
