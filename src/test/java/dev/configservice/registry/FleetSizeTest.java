package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The limit of all instances together. */
class FleetSizeTest {
    private static Reply register(Api api, int i, int chars) {
        return api.post(
                "/registry/register",
                "{\"service_name\":\"s" + i + "\",\"instance_id\":\"i\",\"service_url\":\"http://127.0.0.1:"
                        + (1000 + i) + "\",\"metadata\":{\"text\":\"" + "v".repeat(chars) + "\"}}");
    }

    @Test
    void aFullRegistryTakesNoFurtherInstanceUntilOneGoes() throws Exception {
        try (TestNode node = TestNode.start(Map.of("CS_REGISTRY_MAX_BYTES", "8000"))) {
            Api admin = node.admin();
            int registered = 0;
            Reply last = register(admin, 0, 900);
            while (last.status() == 200) {
                last = register(admin, ++registered, 900);
            }
            assertThat(registered).isBetween(4, 8);
            assertThat(last.status()).as(last.text()).isEqualTo(409);
            assertThat(last.text()).contains("layer-full").contains("registry.max-bytes");

            // what is there stays, with heartbeats and registrations of the same
            assertThat(admin.put(
                                    "/registry/health",
                                    "{\"service_name\":\"s0\",\"instance_id\":\"i\",\"status\":\"healthy\"}")
                            .status())
                    .isEqualTo(200);
            assertThat(register(admin, 0, 900).status()).isEqualTo(200);
            assertThat(register(admin, 50, 1000).status()).isEqualTo(409);

            assertThat(admin.delete("/registry/s2/instances/i").status()).isEqualTo(204);
            await().until(() -> register(admin, 99, 900).status() == 200);
        }
    }
}
