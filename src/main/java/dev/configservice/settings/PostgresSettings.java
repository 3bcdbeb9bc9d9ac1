package dev.configservice.settings;

/** The database, which is the only source of truth. */
public record PostgresSettings(String uri, int poolSize) {
    static PostgresSettings from(Section s, boolean optional) {
        String uri = s.text("uri");
        boolean wellFormed = uri.startsWith("postgresql://") || uri.startsWith("postgres://");
        if (!wellFormed && !(optional && uri.isEmpty())) {
            s.problem("uri", uri.isEmpty() ? "" : "(not shown)", "postgresql://user:password@host:port/database");
        }
        return new PostgresSettings(uri, s.integer("pool-size", 1, 200));
    }

    /** Omits the address, which contains a password. */
    @Override
    public String toString() {
        return "PostgresSettings[poolSize=" + poolSize + "]";
    }
}
