package dev.configservice.log;

import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * A generator of ids: UUIDs of version 7 (RFC 9562), which sort by the time of their creation. They are unique, but
 * they are not secret.
 */
public final class Ids {
    private static final Pattern UUID_FORM =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

    private final InstantSource clock;
    private final AtomicLong last = new AtomicLong();

    public Ids(InstantSource clock) {
        this.clock = clock;
    }

    /** Returns the next id: 48 bits of milliseconds, a 12-bit counter within the millisecond, and 62 random bits. */
    public UUID next() {
        long now = clock.millis() << 12;
        long stamp = last.updateAndGet(before -> Math.max(before + 1, now));
        long high = ((stamp & ~0xFFFL) << 4) | 0x7000L | (stamp & 0xFFFL);
        long low = (ThreadLocalRandom.current().nextLong() & 0x3FFFFFFFFFFFFFFFL) | 0x8000000000000000L;
        return new UUID(high, low);
    }

    /** Tells whether a string has the format of an id. */
    public static boolean isId(String text) {
        return text.length() == 36 && UUID_FORM.matcher(text).matches();
    }
}
