package dev.configservice.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The response times of one route, by status. */
final class RouteMetrics {
    private final MeterRegistry meters;
    private final String method;
    private final String route;
    private final String facade;
    private final Map<Integer, Timer> byStatus = new ConcurrentHashMap<>();

    RouteMetrics(MeterRegistry meters, String method, String route, Dialect dialect) {
        this.meters = meters;
        this.method = method;
        this.route = route;
        this.facade = dialect.name();
    }

    void record(int status, long nanos) {
        Timer timer = byStatus.get(status);
        if (timer == null) {
            timer = byStatus.computeIfAbsent(status, this::timer);
        }
        timer.record(nanos, TimeUnit.NANOSECONDS);
    }

    private Timer timer(int status) {
        return Timer.builder("config_service_http_requests")
                .description("Time from the head of a request to the end of its response")
                .tag("facade", facade)
                .tag("method", method)
                .tag("route", route)
                .tag("status", Integer.toString(status))
                .serviceLevelObjectives(
                        Duration.ofNanos(250_000),
                        Duration.ofMillis(1),
                        Duration.ofMillis(5),
                        Duration.ofMillis(25),
                        Duration.ofMillis(100),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(2))
                .register(meters);
    }
}
