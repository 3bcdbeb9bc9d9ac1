package dev.configservice.settings;

/** The amount that a node keeps in memory. */
public record CacheSettings(int nearEntries) {
    static CacheSettings from(Section s) {
        return new CacheSettings(s.integer("near-entries", 100, 10_000_000));
    }
}
