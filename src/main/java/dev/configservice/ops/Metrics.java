package dev.configservice.ops;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.micrometer.MetricsDomain;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The registry that all measures go to, and those that stand for the node as a whole. */
public final class Metrics {
    /**
     * The metrics of Vert.x that are switched on. Those of HTTP and the event bus are off: the service measures more
     * about each request itself, and to measure it twice would cost twice.
     */
    public static final MicrometerMetricsOptions FOR_VERTX = new MicrometerMetricsOptions()
            .setEnabled(true)
            .setDisabledMetricsCategories(Set.of(
                    MetricsDomain.HTTP_SERVER.toCategory(),
                    MetricsDomain.NET_SERVER.toCategory(),
                    MetricsDomain.EVENT_BUS.toCategory()));

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    public Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        gc();
    }

    @SuppressWarnings("resource") // lives as long as the process
    private void gc() {
        new JvmGcMetrics().bindTo(registry);
    }

    public PrometheusMeterRegistry registry() {
        return registry;
    }

    public MicrometerMetricsFactory forVertx() {
        return new MicrometerMetricsFactory(registry);
    }

    /** Measures how many nodes this one sees, itself included. */
    public void members(Supplier<Number> members) {
        Gauge.builder("config_service_cluster_members", members)
                .description("Nodes that this one sees in the cluster, itself and edges included")
                .register(registry);
    }

    /** Measures where this node is in the log, and how often what changes. */
    public void follow(ChangeFeed feed) {
        Gauge.builder("config_service_applied_revision", feed, f -> f.applied().revision())
                .description("The last revision that this node has applied")
                .register(registry);
        Gauge.builder("config_service_epoch", feed, f -> f.applied().epoch())
                .description("The epoch of the log")
                .register(registry);
        Gauge.builder("config_service_stale_seconds", feed, f -> f.staleness().toMillis() / 1000.0)
                .description("How long this node has been cut off from the log; 0 where it is not")
                .register(registry);
        Map<String, Counter> byKind = new ConcurrentHashMap<>();
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                byKind.computeIfAbsent(
                                change.resource().kind(),
                                kind -> Counter.builder("config_service_changes")
                                        .description("Changes applied, by the kind of resource")
                                        .tag("kind", kind)
                                        .register(registry))
                        .increment();
            }
        });
    }
}
