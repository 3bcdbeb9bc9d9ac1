package dev.configservice.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind.Content;
import dev.configservice.log.ResourceRow;
import dev.configservice.schema.SchemaSet;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import dev.configservice.testing.Keysets;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Writes that were under way while another write changed whether the value is encrypted. */
class ConfigurationKindTest {
    private final Keyring keyring = Keyring.of(Keysets.FIRST);
    private final ConfigurationKind kind =
            new ConfigurationKind(keyring, (resource, actor, requestId) -> {}, new SchemaSet(), 1L << 24);

    private static Resource resource(ObjectNode row, Sealed sealed) {
        return new Resource("configuration", "id", "e", "s", "k", 2, 2, 0, ResourceRow.of(row), sealed);
    }

    private static ObjectNode row(boolean encrypted) {
        return Json.object().put("is_encrypted", encrypted).putNull("description");
    }

    @Test
    void aPlainValueIsSealedIfTheConfigurationBecameEncryptedMeanwhile() {
        Keyring.Parcel old = keyring.seal("id", Json.bytes(Json.object().textNode("old")));
        ObjectNode row = row(true).put("commitment", old.commitment());
        Content content = new Content(row, old.sealed());

        Content after =
                kind.update(resource(row, old.sealed()), content, Json.object().put("value", "new"), Sealed.NONE);

        assertThat(after.fields().has("value")).isFalse();
        assertThat(after.fields().get("commitment")).isNotEqualTo(row.get("commitment"));
        assertThat(new String(keyring.open("id", after.sealed()), StandardCharsets.UTF_8))
                .isEqualTo("\"new\"");
    }

    @Test
    void aSealedValueIsRejectedIfTheConfigurationIsNoLongerEncrypted() {
        Keyring.Parcel parcel = keyring.seal("id", Json.bytes(Json.object().textNode("new")));
        ObjectNode row = row(false).put("value", "plain");

        assertThatThrownBy(() -> kind.update(
                        resource(row, Sealed.NONE),
                        new Content(row, Sealed.NONE),
                        Json.object().put("commitment", parcel.commitment()),
                        parcel.sealed()))
                .isInstanceOf(ServiceException.class);
    }
}
