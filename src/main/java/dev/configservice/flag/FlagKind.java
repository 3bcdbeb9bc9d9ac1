package dev.configservice.flag;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.secret.Sealed;

/** How flags change: field by field, and never into one that cannot be evaluated. */
public final class FlagKind implements ResourceKind {
    @Override
    public String kind() {
        return Flags.KIND;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        ObjectNode after = content.fields().deepCopy();
        after.setAll(fields);
        Flags.check(current.name(), after);
        return new Content(after, sealed);
    }

    @Override
    public ObjectNode data(Resource resource) {
        return FlagFace.render(resource);
    }
}
