package dev.configservice.json;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/** Times as callers write them: RFC 3339, of the years 1970 to 9999. */
public final class Times {
    static final String EXPECTED = "must be a time as in RFC 3339, e.g. 2030-01-31T12:00:00Z";

    private Times() {}

    /** The time; null where the text is none. */
    public static @Nullable Instant parse(String text) {
        try {
            OffsetDateTime at = OffsetDateTime.parse(text).withOffsetSameInstant(ZoneOffset.UTC);
            return at.getYear() >= 1970 && at.getYear() <= 9999 ? at.toInstant() : null;
        } catch (DateTimeParseException e) {
            return null;
        }
    }
}
