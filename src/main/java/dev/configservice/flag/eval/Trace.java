package dev.configservice.flag.eval;

import java.util.ArrayList;
import java.util.List;

/** The steps of one evaluation, which explain its result. */
public final class Trace {
    private final List<Step> steps = new ArrayList<>();

    /** A step and its result. */
    public record Step(String step, String result) {}

    void add(String step, String result) {
        steps.add(new Step(step, result));
    }

    public List<Step> steps() {
        return List.copyOf(steps);
    }
}
