package dev.configservice.registry;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.secret.Sealed;

/** The resource kind of instances. An update replaces only the given fields, such as the status. */
public final class InstanceKind implements ResourceKind {
    @Override
    public String name() {
        return Instance.KIND;
    }

    @Override
    public boolean isPublic() {
        return true;
    }

    @Override
    public boolean belongsToService() {
        return true;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        ObjectNode after = content.fields().deepCopy();
        after.setAll(fields);
        return new Content(after, sealed);
    }

    @Override
    public ObjectNode data(Resource resource) {
        return Instance.render(resource, Json.readObject(resource.row()));
    }
}
