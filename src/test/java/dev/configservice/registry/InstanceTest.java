package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.registry.lease.LeaseBeats;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InstanceTest {
    private static final long AT = Instant.parse("2031-02-03T04:05:06.078Z").toEpochMilli();

    private static Instance instance() {
        ObjectNode row = Json.object();
        row.put("service_url", "http://10.0.0.1:80/\"null\"");
        row.putNull("health_check_url");
        row.set(
                "metadata",
                Json.object()
                        .put("response_time", "\"response_time\":null,\"lease_seconds\":1")
                        .put("last_heartbeat_at", "\"last_heartbeat_at\":\"ü\""));
        row.put("status", "healthy");
        row.put("lease_seconds", 30);
        row.put("registered_at", "2031-02-03T04:00:00.000Z");
        return Instance.of(new Resource("service", "s/i", "", "s", "i", 1, 1, 0, ResourceRow.of(row), Sealed.NONE));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1, 0, 0.25, 12.5, 100, 1e9})
    void theResponseToAHeartbeatEqualsTheRenderedInstance(double responseTime) {
        Instance instance = instance();
        for (long at : new long[] {0, AT, AT + 1, AT + 921, AT + 922, AT - 79}) {
            LeaseBeats.Beat beat = new LeaseBeats.Beat(at, responseTime, at);

            assertThat(instance.fresh(beat).toString()).isEqualTo(Json.write(instance.render(beat)));
        }
    }

    @Test
    void timesFromMillisecondsAndFromInstantsAreWrittenAlike() {
        for (long at = AT - 2500; at < AT + 2500; at += 7) {
            assertThat(Json.time(at)).isEqualTo(Json.time(Instant.ofEpochMilli(at)));
        }
        assertThat(Json.time(-1)).isEqualTo(Json.time(Instant.ofEpochMilli(-1)));
    }
}
