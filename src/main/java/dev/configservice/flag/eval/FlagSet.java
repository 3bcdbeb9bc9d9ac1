package dev.configservice.flag.eval;

import dev.configservice.flag.eval.FlagDefinition.Prerequisite;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The flags of one environment, compiled: what an evaluation needs, whole and immutable. */
public final class FlagSet {
    private final Map<String, CompiledFlag> flags;
    private final Set<String> prerequisites;
    private final Set<String> cyclic;

    private FlagSet(Map<String, CompiledFlag> flags, Set<String> prerequisites, Set<String> cyclic) {
        this.flags = flags;
        this.prerequisites = prerequisites;
        this.cyclic = cyclic;
    }

    /** Compiles flags, of which each name stands once. */
    public static FlagSet compile(Collection<FlagDefinition> definitions) {
        Map<String, CompiledFlag> flags = new LinkedHashMap<>();
        Set<String> prerequisites = new HashSet<>();
        for (FlagDefinition d : definitions) {
            flags.put(d.name(), CompiledFlag.compile(d));
            d.prerequisites().forEach(p -> prerequisites.add(p.flagName()));
        }
        Set<String> cyclic = new HashSet<>();
        for (String name : flags.keySet()) {
            if (reaches(flags, name, name, new HashSet<>())) {
                cyclic.add(name);
            }
        }
        return new FlagSet(flags, prerequisites, cyclic);
    }

    private static boolean reaches(Map<String, CompiledFlag> flags, String from, String to, Set<String> seen) {
        CompiledFlag flag = flags.get(from);
        if (flag == null || !seen.add(from)) {
            return false;
        }
        for (Prerequisite p : flag.definition().prerequisites()) {
            if (p.flagName().equals(to) || reaches(flags, p.flagName(), to, seen)) {
                return true;
            }
        }
        return false;
    }

    /** What is wrong with a constraint's values, as what its operator takes; null where nothing is. */
    public static @Nullable String problem(FlagDefinition.Constraint constraint) {
        try {
            CompiledConstraint.compile(constraint);
            return null;
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Whether a flag with these prerequisites would be one of its own. */
    public boolean wouldCycle(String name, List<Prerequisite> prerequisites) {
        for (Prerequisite p : prerequisites) {
            if (p.flagName().equals(name) || reaches(flags, p.flagName(), name, new HashSet<>(Set.of(name)))) {
                return true;
            }
        }
        return false;
    }

    /** One flag for one user. */
    public Evaluation evaluate(String name, EvaluationContext context) {
        return evaluate(name, context, null, null);
    }

    /** The same, and each step that was tried goes into the trace. */
    public Evaluation evaluate(String name, EvaluationContext context, @Nullable Trace trace) {
        return evaluate(name, context, null, trace);
    }

    /** All flags for one user; each is evaluated once, also where others have it as a prerequisite. */
    public List<Evaluation> evaluateAll(EvaluationContext context) {
        Map<String, Evaluation> done = new HashMap<>();
        List<Evaluation> all = new ArrayList<>(flags.size());
        for (CompiledFlag flag : flags.values()) {
            all.add(evaluate(flag, context, done, null));
        }
        return all;
    }

    /** Several flags for one user, likewise. */
    public List<Evaluation> evaluateAll(Set<String> names, EvaluationContext context) {
        Map<String, Evaluation> done = new HashMap<>();
        List<Evaluation> all = new ArrayList<>(names.size());
        for (String name : names) {
            all.add(evaluate(name, context, done, null));
        }
        return all;
    }

    private Evaluation evaluate(
            String name, EvaluationContext context, @Nullable Map<String, Evaluation> done, @Nullable Trace trace) {
        CompiledFlag flag = flags.get(name);
        if (flag == null) {
            if (trace != null) {
                trace.add("flag", "there is none with this name");
            }
            return new Evaluation(name, null, false, null, Reason.FLAG_NOT_FOUND);
        }
        return evaluate(flag, context, done, trace);
    }

    /** Only a flag that others have as a prerequisite is asked for more than once, and kept in {@code done}. */
    private Evaluation evaluate(
            CompiledFlag flag,
            EvaluationContext context,
            @Nullable Map<String, Evaluation> done,
            @Nullable Trace trace) {
        if (done == null || !prerequisites.contains(flag.definition().name())) {
            return decide(flag, context, done, trace);
        }
        String name = flag.definition().name();
        Evaluation known = done.get(name);
        if (known == null) {
            known = decide(flag, context, done, trace);
            done.put(name, known);
        }
        return known;
    }

    private Evaluation decide(
            CompiledFlag flag,
            EvaluationContext context,
            @Nullable Map<String, Evaluation> done,
            @Nullable Trace trace) {
        FlagDefinition definition = flag.definition();
        if (!definition.enabled()) {
            if (trace != null) {
                trace.add("is_enabled", "false: off");
            }
            return flag.off(Reason.DISABLED);
        }
        if (!definition.prerequisites().isEmpty()) {
            // where flags share prerequisites, each is evaluated once
            Map<String, Evaluation> shared = done == null ? new HashMap<>() : done;
            for (Prerequisite p : definition.prerequisites()) {
                String failure = failure(definition.name(), p, context, shared);
                if (trace != null) {
                    trace.add("prerequisites." + p.flagName(), failure == null ? "holds" : failure);
                }
                if (failure != null) {
                    return flag.off(Reason.PREREQUISITE_FAILED);
                }
            }
        }
        return flag.decide(context, trace);
    }

    private @Nullable String failure(
            String of, Prerequisite p, EvaluationContext context, Map<String, Evaluation> done) {
        if (cyclic.contains(of) || cyclic.contains(p.flagName())) {
            return "is part of a cycle";
        }
        Evaluation e = evaluate(p.flagName(), context, done, null);
        if (!e.enabled()) {
            return "is off (" + e.reason() + ")";
        }
        String got = e.variant() == null ? null : e.variant().name();
        return p.variant() == null || p.variant().equals(got) ? null : "is not variant " + p.variant();
    }
}
