package dev.configservice.settings;

/** The number of snapshots that a node keeps in its near cache. */
public record CacheSettings(int nearEntries) {
    static CacheSettings from(Section s) {
        return new CacheSettings(s.integer("near-entries", 100, 10_000_000));
    }
}
