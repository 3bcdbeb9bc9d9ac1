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

/** The compiled flags of one environment: everything that an evaluation needs. Immutable. */
public final class FlagSet {
    private final Map<String, CompiledFlag> flags;
    private final Set<String> prerequisites;
    private final Set<String> cyclic;

    private FlagSet(Map<String, CompiledFlag> flags, Set<String> prerequisites, Set<String> cyclic) {
        this.flags = flags;
        this.prerequisites = prerequisites;
        this.cyclic = cyclic;
    }

    /** Compiles flags. Their names must be unique. */
    public static FlagSet compile(Collection<FlagDefinition> definitions) {
        return compile(definitions, null);
    }

    /**
     * Compiles flags. Their names must be unique.
     *
     * @param before the flags as they were compiled before: a flag with the same definition object is not compiled again
     */
    public static FlagSet compile(Collection<FlagDefinition> definitions, @Nullable FlagSet before) {
        Map<String, CompiledFlag> flags = new LinkedHashMap<>();
        Set<String> prerequisites = new HashSet<>();
        for (FlagDefinition d : definitions) {
            CompiledFlag known = before == null ? null : before.flags.get(d.name());
            flags.put(d.name(), known != null && isSame(known.definition(), d) ? known : CompiledFlag.compile(d));
            d.prerequisites().forEach(p -> prerequisites.add(p.flagName()));
        }
        Set<String> cyclic = new HashSet<>();
        for (String name : flags.keySet()) {
            if (prerequisites.contains(name) && reaches(flags, name, name, new HashSet<>())) {
                cyclic.add(name);
            }
        }
        return new FlagSet(flags, prerequisites, cyclic);
    }

    @SuppressWarnings("ReferenceEquality") // an equal definition would be compiled again, which is only slower
    private static boolean isSame(FlagDefinition a, FlagDefinition b) {
        return a == b;
    }

    /** Returns the definition of a flag; null if it does not exist. */
    public @Nullable FlagDefinition definition(String name) {
        CompiledFlag flag = flags.get(name);
        return flag == null ? null : flag.definition();
    }

    /**
     * Returns the length of the longest chain of prerequisites, if a flag had these ones. There must be no cycle.
     *
     * @param atMost the length at which the search ends
     */
    public int longestChain(String name, List<Prerequisite> prerequisites, int atMost) {
        Map<String, Integer> known = new HashMap<>();
        int longest = chain(name, name, prerequisites, known, atMost);
        for (String other : flags.keySet()) {
            longest = Math.max(longest, chain(other, name, prerequisites, known, atMost));
        }
        return longest;
    }

    private int chain(
            String name, String changed, List<Prerequisite> changedTo, Map<String, Integer> known, int atMost) {
        Integer done = known.get(name);
        if (done != null || atMost == 0) {
            return done == null ? 1 : done;
        }
        CompiledFlag flag = flags.get(name);
        List<Prerequisite> next = name.equals(changed)
                ? changedTo
                : flag == null ? List.of() : flag.definition().prerequisites();
        int longest = 0;
        for (Prerequisite p : next) {
            longest = Math.max(longest, chain(p.flagName(), changed, changedTo, known, atMost - 1) + 1);
        }
        known.put(name, longest);
        return longest;
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

    /** Returns null if the constraint's values are valid. Otherwise returns which values the operator takes. */
    public static @Nullable String problem(FlagDefinition.Constraint constraint) {
        try {
            CompiledConstraint.compile(constraint);
            return null;
        } catch (IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Tells whether these prerequisites would make the flag its own prerequisite, directly or through other flags. */
    public boolean wouldCycle(String name, List<Prerequisite> prerequisites) {
        for (Prerequisite p : prerequisites) {
            if (p.flagName().equals(name) || reaches(flags, p.flagName(), name, new HashSet<>(Set.of(name)))) {
                return true;
            }
        }
        return false;
    }

    /** Evaluates one flag for one user. */
    public Evaluation evaluate(String name, EvaluationContext context) {
        return evaluate(name, context, null, null);
    }

    /** Evaluates one flag for one user, and adds each step to the trace. */
    public Evaluation evaluate(String name, EvaluationContext context, @Nullable Trace trace) {
        return evaluate(name, context, null, trace);
    }

    /** Evaluates all flags for one user. Each is evaluated once, even if it is a prerequisite of others. */
    public List<Evaluation> evaluateAll(EvaluationContext context) {
        Map<String, Evaluation> done = new HashMap<>();
        List<Evaluation> all = new ArrayList<>(flags.size());
        for (CompiledFlag flag : flags.values()) {
            all.add(evaluate(flag, context, done, null));
        }
        return all;
    }

    /** Evaluates several flags for one user, each once. */
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
                trace.add("flag", "does not exist");
            }
            return new Evaluation(name, null, false, null, Reason.FLAG_NOT_FOUND);
        }
        return evaluate(flag, context, done, trace);
    }

    /** Evaluates a flag. Keeps the result in {@code done} if it is a prerequisite of others and may be needed again. */
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
            // several prerequisites can depend on the same flag: it is evaluated once
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
        return p.variant() == null || p.variant().equals(got) ? null : "is on, but not with variant " + p.variant();
    }
}
