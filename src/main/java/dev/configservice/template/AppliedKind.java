package dev.configservice.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Resource;
import dev.configservice.resource.KindDescription;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.resource.ResourceName;
import dev.configservice.resource.VersionedKind;
import dev.configservice.secret.Sealed;
import org.jspecify.annotations.Nullable;

/**
 * The kind of notes of which template was applied to which service: its version, and the parameters that are no secrets. A
 * note is written and undone with the change set that applied the template. Its name is that of the template.
 */
public final class AppliedKind implements VersionedKind {
    /** The name of the kind. */
    static final String NAME = "template_use";

    private static final KindDescription DESCRIBED = new KindDescription(
            NAME,
            "/template-uses",
            "name",
            Right.CONFIG_WRITE,
            "TemplateUse",
            Trait.KEEPS_HISTORY,
            Trait.BELONGS_TO_SERVICE,
            Trait.INTERNAL);

    static final String TEMPLATE_ID = "template_id";
    static final String TEMPLATE_VERSION = "template_version";

    @Override
    public KindDescription description() {
        return DESCRIBED;
    }

    @Override
    public Creation create(FieldReader fields, String id) {
        String name = fields.required("name", ResourceName.RULE);
        String environment = fields.required("environment", StringRule.NAME);
        String service = fields.required("service_name", StringRule.NAME);
        ObjectNode content = read(fields);
        fields.done();
        return new Creation(environment, service, name, content, Sealed.NONE);
    }

    @Override
    public Update change(FieldReader fields, Resource current, Caller caller) {
        ObjectNode content = read(fields);
        fields.done();
        return new Update(content, Sealed.NONE, null);
    }

    private static ObjectNode read(FieldReader fields) {
        ObjectNode content = Json.object();
        content.put(TEMPLATE_ID, fields.required(TEMPLATE_ID, StringRule.ANY));
        content.put(TEMPLATE_VERSION, fields.integer(TEMPLATE_VERSION, 1, Long.MAX_VALUE));
        content.set(TemplateKind.PARAMETERS, fields.node(TemplateKind.PARAMETERS));
        return content;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        return new Content(content.fields().deepCopy().setAll(fields), sealed);
    }

    @Override
    public ObjectNode data(Resource resource) {
        ObjectNode row = resource.row().fields();
        ObjectNode o = Json.object().put("name", resource.name());
        o.set(TEMPLATE_VERSION, row.get(TEMPLATE_VERSION));
        o.set(TemplateKind.PARAMETERS, row.get(TemplateKind.PARAMETERS));
        return o;
    }

    @Override
    public ObjectNode render(Resource resource, Caller caller) {
        return data(resource);
    }

    @Override
    public @Nullable JsonNode historyValue(Resource version) {
        return data(version);
    }
}
