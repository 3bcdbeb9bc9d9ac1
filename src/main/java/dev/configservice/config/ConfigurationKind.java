package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import java.util.Arrays;

/**
 * How configurations change. The row of one that is encrypted has no value, but a commitment to it; the value is in
 * {@code sealed}.
 */
public final class ConfigurationKind implements ResourceKind {
    public static final String KIND = "configuration";

    static final String VALUE = "value";
    static final String ENCRYPTED = "is_encrypted";
    static final String DESCRIPTION = "description";
    static final String COMMITMENT = "commitment";

    private final Keyring keyring;

    public ConfigurationKind(Keyring keyring) {
        this.keyring = keyring;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        boolean was = content.fields().get(ENCRYPTED).booleanValue();
        boolean will = fields.has(ENCRYPTED) ? fields.get(ENCRYPTED).booleanValue() : was;
        ObjectNode after = content.fields().deepCopy();
        if (fields.has(DESCRIPTION)) {
            after.set(DESCRIPTION, fields.get(DESCRIPTION));
        }
        after.put(ENCRYPTED, will);
        if (fields.has(VALUE) && will) {
            // it became encrypted while the write was on its way
            Keyring.Parcel parcel = keyring.seal(current.id(), Json.bytes(fields.get(VALUE)));
            ObjectNode sealedFields = fields.deepCopy();
            sealedFields.remove(VALUE);
            sealedFields.put(COMMITMENT, parcel.commitment());
            return update(current, content, sealedFields, parcel.sealed());
        }
        if (!sealed.isEmpty() && !will) {
            // the new value was given as a secret: it is not written in the clear unasked
            throw new ServiceException(ErrorCode.CONFLICT, "It is not encrypted any more; ask again");
        }
        Sealed secret = content.sealed();
        if (fields.has(VALUE)) {
            after.set(VALUE, fields.get(VALUE));
            after.remove(COMMITMENT);
            secret = Sealed.NONE;
        } else if (!sealed.isEmpty()) {
            if (was && sameValue(current.id(), secret, sealed)) {
                return new Content(after, secret);
            }
            after.remove(VALUE);
            after.set(COMMITMENT, fields.get(COMMITMENT));
            secret = sealed;
        } else if (will && !was) {
            Keyring.Parcel parcel = keyring.seal(current.id(), Json.bytes(after.get(VALUE)));
            after.remove(VALUE);
            after.put(COMMITMENT, parcel.commitment());
            secret = parcel.sealed();
        } else if (was && !will) {
            JsonNode value = Json.read(keyring.open(current.id(), secret));
            after.set(VALUE, value);
            after.remove(COMMITMENT);
            secret = Sealed.NONE;
        }
        return new Content(after, secret);
    }

    /** What is encrypted stays so, whatever the earlier version was. */
    @Override
    public Content rollback(Resource last, Content earlier) {
        if (!last.isSealed() || !earlier.sealed().isEmpty()) {
            return earlier;
        }
        ObjectNode fields = earlier.fields().deepCopy();
        Keyring.Parcel parcel = keyring.seal(last.id(), Json.bytes(fields.get(VALUE)));
        fields.remove(VALUE);
        fields.put(ENCRYPTED, true);
        fields.put(COMMITMENT, parcel.commitment());
        return new Content(fields, parcel.sealed());
    }

    @Override
    public ObjectNode data(Resource resource) {
        ObjectNode row = Json.readObject(resource.row());
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("key", resource.name());
        o.put("service_name", resource.serviceName().isEmpty() ? null : resource.serviceName());
        o.put("environment", resource.environment());
        o.put("version", resource.version());
        o.set("is_encrypted", row.get(ENCRYPTED));
        if (!resource.isSealed() && row.has(VALUE)) {
            o.set("value", row.get(VALUE));
        }
        return o;
    }

    @Override
    public ObjectNode audited(Resource resource) {
        ObjectNode o = data(resource);
        o.set(DESCRIPTION, Json.readObject(resource.row()).get(DESCRIPTION));
        return o;
    }

    private boolean sameValue(String id, Sealed a, Sealed b) {
        return Arrays.equals(keyring.open(id, a), keyring.open(id, b));
    }
}
