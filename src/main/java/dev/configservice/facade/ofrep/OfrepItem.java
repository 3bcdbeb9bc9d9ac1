package dev.configservice.facade.ofrep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.flag.RenderedEvaluation;
import dev.configservice.flag.eval.Evaluation;
import dev.configservice.flag.eval.FlagDefinition;
import dev.configservice.flag.eval.Reason;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;

/**
 * An evaluation as OFREP shows it: alone, with the status of its response, or as an item of a bulk evaluation.
 *
 * @param json its JSON; must not be changed
 */
record OfrepItem(int status, Buffer json) {
    private static final int ALL = 10_000;

    /** Returns the item of an evaluation, which is rendered once for all who get the same. */
    static OfrepItem of(RenderedEvaluation rendered) {
        return rendered.view(OfrepItem::render);
    }

    private static OfrepItem render(RenderedEvaluation rendered) {
        Evaluation e = rendered.evaluation();
        FlagDefinition flag = e.flag();
        ObjectNode o = Json.object().put("key", e.flagName());
        if (flag == null) {
            o.put("errorCode", "FLAG_NOT_FOUND")
                    .put("errorDetails", "There is no flag of this name in '" + rendered.environment() + "'");
            return new OfrepItem(404, Buffer.buffer(Json.bytes(o)));
        }
        if (e.reason() == Reason.TARGETING_KEY_MISSING) {
            o.put("errorCode", "TARGETING_KEY_MISSING")
                    .put("errorDetails", "The flag is on for a share of its users; name one by targetingKey");
            return new OfrepItem(400, Buffer.buffer(Json.bytes(o)));
        }
        FlagDefinition.Variant variant = e.variant();
        if (e.enabled() && variant != null) {
            o.set("value", (JsonNode) variant.value());
            o.put("variant", variant.name());
        } else if (e.enabled()) {
            o.put("value", true);
        } else if (flag.variants().isEmpty() && e.reason() != Reason.DISABLED) {
            // a flag with variants has no value while it is off: the application's default counts
            o.put("value", false);
        }
        o.put("reason", reason(e, flag));
        o.putObject("metadata").put("version", flag.version()).put("environment", rendered.environment());
        return new OfrepItem(200, Buffer.buffer(Json.bytes(o)));
    }

    private static String reason(Evaluation e, FlagDefinition flag) {
        boolean isStatic = e.enabled()
                && e.reason() == Reason.DEFAULT
                && flag.rules().isEmpty()
                && flag.variants().size() <= 1
                && flag.targetUsers().isEmpty()
                && (flag.rollout() == null || flag.rollout() == ALL);
        return isStatic ? "STATIC" : e.reason().name();
    }
}
