package dev.configservice.ops;

import dev.configservice.cluster.Release;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmHeapPressureMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.vertx.micrometer.MetricsDomain;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The registry of all metrics, and the metrics of the node as a whole. */
public final class Metrics {
    /**
     * The metrics options of Vert.x. Its metrics of requests and messages are disabled: the service's own metrics
     * contain more, and those of Vert.x would double the cost.
     */
    public static final MicrometerMetricsOptions FOR_VERTX = new MicrometerMetricsOptions()
            .setEnabled(true)
            .setDisabledMetricsCategories(Set.of(
                    MetricsDomain.HTTP_SERVER.toCategory(),
                    MetricsDomain.NET_SERVER.toCategory(),
                    MetricsDomain.EVENT_BUS.toCategory()));

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /** Creates the registry of a node. Every metric has the name of its cluster as the tag {@code cluster}. */
    public Metrics(String cluster) {
        registry.config().commonTags("cluster", cluster);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        gc();
        // Micrometer has no meters whose names end in _info
        Labels release =
                Labels.of("cluster", cluster, "java", Runtime.version().toString(), "version", Release.version());
        InfoSnapshot info = InfoSnapshot.builder()
                .name("config_service_build")
                .help("1; the labels say which release this node is, and on which JVM it runs")
                .dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder()
                        .labels(release)
                        .build())
                .build();
        registry.getPrometheusRegistry().register(() -> info);
    }

    @SuppressWarnings("resource") // lives as long as the process
    private void gc() {
        new JvmGcMetrics().bindTo(registry);
        new JvmHeapPressureMetrics().bindTo(registry);
    }

    public PrometheusMeterRegistry registry() {
        return registry;
    }

    public MicrometerMetricsFactory forVertx() {
        return new MicrometerMetricsFactory(registry);
    }

    /** Registers the number of nodes that this node sees, including itself. */
    public void members(Supplier<Number> members) {
        Gauge.builder("config_service_cluster_members", members)
                .description("Nodes that this node sees in the cluster, including itself and edges")
                .register(registry);
    }

    /** Registers the position of this node in the log, its staleness, and the number of applied changes by kind. */
    public void follow(ChangeFeed feed) {
        Gauge.builder("config_service_units", feed, ChangeFeed::size)
                .description(
                        "Layers, environments with flags, services with instances and the like that this node knows")
                .register(registry);
        Gauge.builder("config_service_max_units", feed, ChangeFeed::maxUnits)
                .description("The largest number of such units, by the heap of this node")
                .register(registry);
        Gauge.builder("config_service_applied_revision", feed, f -> f.applied().revision())
                .description("The last revision that this node has applied")
                .register(registry);
        Gauge.builder("config_service_epoch", feed, f -> f.applied().epoch())
                .description("The epoch of the log")
                .register(registry);
        Gauge.builder("config_service_stale_seconds", feed, f -> f.staleness().toMillis() / 1000.0)
                .description("Seconds that this node has been cut off from the log; 0 if it is not")
                .register(registry);
        Map<String, Counter> byKind = new ConcurrentHashMap<>();
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                byKind.computeIfAbsent(
                                change.resource().kind(),
                                kind -> Counter.builder("config_service_changes")
                                        .description("Applied changes, by the kind of resource")
                                        .tag("kind", kind)
                                        .register(registry))
                        .increment();
            }
        });
    }
}
