package dev.configservice.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Tools that tests need beside Java. */
public final class Tools {
    private Tools() {}

    /** Leaves a test out where a tool is missing; with {@code CI=true}, where everything must run, it fails instead. */
    public static void require(boolean isThere, String needed) {
        if ("true".equals(System.getenv("CI"))) {
            assertTrue(isThere, needed);
        } else {
            assumeTrue(isThere, needed);
        }
    }
}
