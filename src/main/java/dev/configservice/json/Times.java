package dev.configservice.json;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/** The parser for times in requests: RFC 3339, years 1970 to 9999. */
public final class Times {
    static final String EXPECTED = "must be an RFC 3339 time, e.g. 2030-01-31T12:00:00Z";

    private Times() {}

    /** Parses a time; returns null if the string is not a valid time. */
    public static @Nullable Instant parse(String text) {
        try {
            OffsetDateTime at = OffsetDateTime.parse(text).withOffsetSameInstant(ZoneOffset.UTC);
            return at.getYear() >= 1970 && at.getYear() <= 9999 ? at.toInstant() : null;
        } catch (DateTimeParseException e) {
            return null;
        }
    }
}
