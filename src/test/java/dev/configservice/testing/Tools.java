package dev.configservice.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Tools that tests need besides Java. */
public final class Tools {
    private Tools() {}

    /** Skips a test if a tool is missing. With {@code CI=true}, where every test must run, the test fails instead. */
    public static void require(boolean isThere, String needed) {
        if ("true".equals(System.getenv("CI"))) {
            assertTrue(isThere, needed);
        } else {
            assumeTrue(isThere, needed);
        }
    }
}
