package dev.configservice.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.ExecutionContext;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaContext;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.keyword.AbstractKeyword;
import com.networknt.schema.keyword.AbstractKeywordValidator;
import com.networknt.schema.keyword.KeywordValidator;
import com.networknt.schema.path.NodePath;

/**
 * The keyword that counts what the judgement of a value costs, so that it ends: subschemas that refer to one another can
 * multiply. A unit is about the time of a keyword that compares a number.
 */
final class CostKeyword extends AbstractKeyword {
    /** The most that a judgement may cost. Takes some tenths of a second. */
    static final long BUDGET = 1_000_000;

    /** The most subschemas that may be judged within one another. */
    private static final int MAX_DEPTH = 500;

    /** The number of characters, each compared with an element of a pattern, that cost a unit. */
    private static final int CHARS = 100;

    CostKeyword() {
        super(SchemaLimits.COST);
    }

    /** The signal that a judgement costs too much. */
    static final class TooCostly extends RuntimeException {
        TooCostly() {
            super("the judgement costs too much", null, false, false);
        }
    }

    @Override
    public KeywordValidator newValidator(SchemaLocation location, JsonNode node, Schema parent, SchemaContext context) {
        return new Counter(
                location,
                node,
                node.path("keywords").asLong(),
                node.path("sizes").asLong());
    }

    private static final class Counter extends AbstractKeywordValidator {
        private final long keywords;
        private final long sizes;

        Counter(SchemaLocation location, JsonNode node, long keywords, long sizes) {
            super(SchemaLimits.COST, node, location);
            this.keywords = keywords;
            this.sizes = sizes;
        }

        @Override
        public void validate(ExecutionContext context, JsonNode value, JsonNode root, NodePath path) {
            long[] spent = context.getCollectorContext().computeIfAbsent(SchemaLimits.COST, k -> new long[1]);
            long chars = value.isTextual() ? value.textValue().length() : 0;
            spent[0] += 1 + keywords + value.size() + (sizes * (chars + 20L * value.size())) / CHARS + chars / CHARS;
            if (spent[0] > BUDGET || context.getEvaluationSchema().size() > MAX_DEPTH) {
                throw new TooCostly();
            }
        }
    }
}
