package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.flag.eval.Evaluation;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An evaluation prepared for responses and counts: its JSON as bytes, and the counter for such evaluations. */
public final class RenderedEvaluation {
    private static final byte[] OPENED = {'{', '"', 'i', 't', 'e', 'm', 's', '"', ':', '{'};
    private static final byte[] CLOSED = {'}', '}'};

    private final Evaluation evaluation;
    private final String environment;
    private final FlagUsage.@Nullable Count counter;
    private final byte[] member;
    private final int valueAt;
    private volatile @Nullable Object view;

    /**
     * Renders an evaluation in an environment.
     *
     * @param counter null if the evaluation is not counted
     */
    RenderedEvaluation(Evaluation evaluation, String environment, FlagUsage.@Nullable Count counter) {
        this.evaluation = evaluation;
        this.environment = environment;
        this.counter = counter;
        ObjectNode value = render(null);
        byte[] object = Json.bytes(Json.object().set(evaluation.flagName(), value));
        // the flag's name and its value, without the enclosing braces
        this.member = java.util.Arrays.copyOfRange(object, 1, object.length - 1);
        this.valueAt = member.length - Json.bytes(value).length;
    }

    public Evaluation evaluation() {
        return evaluation;
    }

    public String environment() {
        return environment;
    }

    /**
     * Returns a value derived from this evaluation. It is created on first use and cached, so all callers must pass
     * equivalent functions.
     */
    @SuppressWarnings("unchecked")
    public <T> T view(Function<RenderedEvaluation, T> make) {
        Object v = view;
        if (v == null) {
            v = make.apply(this);
            view = v;
        }
        return (T) v;
    }

    FlagUsage.@Nullable Count counter() {
        return counter;
    }

    /** Returns the response body of an evaluation without a default value. */
    public Buffer body() {
        int length = member.length - valueAt;
        return Buffer.buffer(length).appendBytes(member, valueAt, length);
    }

    /** Returns the response body of a bulk evaluation. Each flag must occur only once. */
    public static Buffer body(List<RenderedEvaluation> evaluations) {
        int length = OPENED.length + evaluations.size() + CLOSED.length;
        for (RenderedEvaluation evaluation : evaluations) {
            length += evaluation.member.length;
        }
        Buffer body = Buffer.buffer(length).appendBytes(OPENED);
        for (int i = 0; i < evaluations.size(); i++) {
            if (i > 0) {
                body.appendByte((byte) ',');
            }
            body.appendBytes(evaluations.get(i).member);
        }
        return body.appendBytes(CLOSED);
    }

    /**
     * Renders the evaluation as JSON.
     *
     * @param otherwise the default value: the value of a flag that is off or does not exist; null for false
     */
    public ObjectNode render(@Nullable JsonNode otherwise) {
        Evaluation e = evaluation;
        boolean found = e.flag() != null;
        boolean enabled = found ? e.enabled() : otherwise != null && otherwise.isBoolean() && otherwise.booleanValue();
        ObjectNode o = Json.object();
        o.put("flag_name", e.flagName());
        o.put("environment", environment);
        o.put("enabled", enabled);
        if (found && e.enabled()) {
            o.set(
                    "value",
                    e.variant() == null
                            ? BooleanNode.TRUE
                            : (JsonNode) e.variant().value());
        } else {
            o.set("value", otherwise == null ? BooleanNode.FALSE : otherwise);
        }
        o.put("variant", e.variant() == null ? null : e.variant().name());
        o.put("reason", e.reason().name());
        if (e.flag() == null) {
            o.putNull("version");
        } else {
            o.put("version", e.flag().version());
        }
        return o;
    }
}
