package dev.configservice.vertx;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import org.jspecify.annotations.Nullable;

/** The span that the current thread works for, if requests are traced. */
public final class Traces {
    private Traces() {}

    /** Returns the current span as a W3C traceparent; null if there is none. */
    public static @Nullable String parent() {
        SpanContext span = Span.current().getSpanContext();
        return span.isValid()
                ? "00-" + span.getTraceId() + "-" + span.getSpanId() + "-"
                        + span.getTraceFlags().asHex()
                : null;
    }
}
