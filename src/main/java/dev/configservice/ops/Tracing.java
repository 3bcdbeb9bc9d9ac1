package dev.configservice.ops;

import dev.configservice.cluster.Release;
import dev.configservice.settings.TracingSettings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.vertx.core.spi.VertxTracerFactory;
import io.vertx.tracing.opentelemetry.OpenTelemetryTracingFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The spans of requests, which are sent to a collector in batches. Vert.x makes them: for requests, for messages between
 * nodes, and for calls of PostgreSQL and Redis. Spans that cannot be sent are dropped.
 */
public final class Tracing implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int MAX_WAITING = 4096;

    /** The attributes of Vert.x that hold the query of a request. */
    private static final AttributeKey<String> URL = AttributeKey.stringKey("http.url");

    private static final AttributeKey<String> QUERY = AttributeKey.stringKey("url.query");

    private final OpenTelemetrySdk sdk;

    private Tracing(TracingSettings settings, String cluster) {
        Resource node = Resource.getDefault()
                .merge(Resource.create(Attributes.of(
                        AttributeKey.stringKey("service.name"),
                        "config-service",
                        AttributeKey.stringKey("service.namespace"),
                        cluster,
                        AttributeKey.stringKey("service.version"),
                        Release.version())));
        String endpoint = settings.endpoint().replaceFirst("/+$", "") + "/v1/traces";
        this.sdk = OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder()
                        .setResource(node)
                        .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(settings.share())))
                        .addSpanProcessor(new QueryHider())
                        .addSpanProcessor(BatchSpanProcessor.builder(OtlpHttpSpanExporter.builder()
                                        .setEndpoint(endpoint)
                                        .setTimeout(TIMEOUT)
                                        .build())
                                .setMaxQueueSize(MAX_WAITING)
                                .setScheduleDelay(Duration.ofSeconds(1))
                                .build())
                        .build())
                .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
                .build();
    }

    /** Hides the query of a request, which may carry a credential ({@code access_token}), before a span is sent. */
    private static final class QueryHider implements SpanProcessor {
        @Override
        public void onStart(Context parent, ReadWriteSpan span) {
            if (span.getAttribute(QUERY) != null) {
                String url = String.valueOf(span.getAttribute(URL));
                int query = url.indexOf('?');
                span.setAttribute(URL, query < 0 ? url : url.substring(0, query));
                span.setAttribute(QUERY, "(not shown)");
            }
        }

        @Override
        public boolean isStartRequired() {
            return true;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            // all is done at the start
        }

        @Override
        public boolean isEndRequired() {
            return false;
        }
    }

    /** Starts tracing; returns null if the settings name no collector. */
    public static @Nullable Tracing start(TracingSettings settings, String cluster) {
        return settings.isOn() ? new Tracing(settings, cluster) : null;
    }

    public VertxTracerFactory factory() {
        return new OpenTelemetryTracingFactory(sdk);
    }

    /** Sends what is left, for a few seconds at most. */
    @Override
    public void close() {
        sdk.getSdkTracerProvider().shutdown().join(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }
}
