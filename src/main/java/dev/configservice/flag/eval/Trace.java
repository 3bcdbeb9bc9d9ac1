package dev.configservice.flag.eval;

import java.util.ArrayList;
import java.util.List;

/** The steps of one evaluation, for the question why it came out so. */
public final class Trace {
    private final List<Step> steps = new ArrayList<>();

    /** What was tried, and what came of it. */
    public record Step(String step, String result) {}

    void add(String step, String result) {
        steps.add(new Step(step, result));
    }

    public List<Step> steps() {
        return List.copyOf(steps);
    }
}
