package dev.configservice.ops;

import dev.configservice.cluster.Release;
import dev.configservice.settings.TracingSettings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
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
