package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.secret.Sealed;

/** The resource kind of API keys. A rotation adds a new hash, and the old one stays valid for a grace period. */
public final class AccessKeyKind implements ResourceKind {
    @Override
    public String name() {
        return AccessKey.KIND;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        ObjectNode after = content.fields().deepCopy();
        after.set("previous_hash", after.get("hash"));
        after.set("previous_until", fields.get("previous_until"));
        after.set("hash", fields.get("hash"));
        return new Content(after, sealed);
    }

    @Override
    public ObjectNode data(Resource resource) {
        return AccessKeyRoutes.render(resource, null, true);
    }
}
