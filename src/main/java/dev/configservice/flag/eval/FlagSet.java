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
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The flags of one environment: everything that an evaluation needs. Immutable. They are held in parts, which a set
 * after a change shares with the set before it. A flag is compiled when it is evaluated for the first time.
 */
public final class FlagSet {
    /** The work of reading and compiling a flag, in steps of a pattern; an estimate. */
    private static final long COMPILE_STEPS = 5_000;

    /** Marks a flag whose evaluation has begun and not ended: a prerequisite that leads back to it closes a cycle. */
    private static final Evaluation IN_PROGRESS = new Evaluation("", null, false, null, Reason.PREREQUISITE_FAILED);

    private final List<Part> parts;

    /** Some flags whose names follow one another. */
    public static final class Part {
        private final Map<String, Flag> flags = new LinkedHashMap<>();
        private final String first;
        private volatile long patternSize = -1;
        private volatile boolean compiled;

        /**
         * Creates a part.
         *
         * @param definitions the sources of at least one flag, in the order of their names, which are ASCII
         */
        public Part(SortedMap<String, Supplier<FlagDefinition>> definitions) {
            definitions.forEach((name, source) -> flags.put(name, new Flag(source)));
            first = definitions.firstKey();
        }

        /** Returns how large the patterns of its flags become when they are compiled; an estimate. */
        private long patternSize() {
            if (patternSize < 0) {
                patternSize = flags.values().stream()
                        .mapToLong(f -> f.definition().patternSize())
                        .sum();
            }
            return patternSize;
        }
    }

    /** A flag that is read and compiled when that is needed. Two threads may do it at the same time; one result stays. */
    private static final class Flag {
        private final Supplier<FlagDefinition> source;
        private volatile @Nullable FlagDefinition definition;
        private volatile @Nullable CompiledFlag compiled;

        Flag(Supplier<FlagDefinition> source) {
            this.source = source;
        }

        FlagDefinition definition() {
            FlagDefinition known = definition;
            if (known == null) {
                known = source.get();
                definition = known;
            }
            return known;
        }

        CompiledFlag compiled() {
            CompiledFlag known = compiled;
            if (known == null) {
                known = CompiledFlag.compile(definition());
                compiled = known;
            }
            return known;
        }
    }

    private FlagSet(List<Part> parts) {
        this.parts = parts;
    }

    /** Creates a set of parts in the order of their names. */
    public static FlagSet of(List<Part> parts) {
        return new FlagSet(List.copyOf(parts));
    }

    /** Compiles flags at once. Their names must be unique. */
    public static FlagSet compile(Collection<FlagDefinition> definitions) {
        SortedMap<String, Supplier<FlagDefinition>> sources = new TreeMap<>();
        definitions.forEach(d -> sources.put(d.name(), () -> d));
        if (sources.isEmpty()) {
            return new FlagSet(List.of());
        }
        Part part = new Part(sources);
        part.flags.values().forEach(Flag::compiled);
        return new FlagSet(List.of(part));
    }

    private @Nullable Flag flag(String name) {
        int low = 1;
        int high = parts.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (parts.get(middle).first.compareTo(name) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return parts.isEmpty() ? null : parts.get(low - 1).flags.get(name);
    }

    private List<Prerequisite> prerequisites(String name) {
        Flag flag = flag(name);
        return flag == null ? List.of() : flag.definition().prerequisites();
    }

    /**
     * Returns how large the patterns of all flags but one become when they are compiled, in instructions; an estimate.
     */
    public long patternSizeWithout(String name) {
        Flag flag = flag(name);
        return patternSize() - (flag == null ? 0 : flag.definition().patternSize());
    }

    private long patternSize() {
        long size = 0;
        for (Part part : parts) {
            size += part.patternSize();
        }
        return size;
    }

    /**
     * Tells whether an evaluation may take more than a number of steps: those of its patterns, and as many as it takes to
     * read and compile flags. A step takes a few nanoseconds. The answer itself costs little, however many flags there are.
     *
     * @param names the flags to evaluate; null for all
     */
    public boolean takesMoreThan(long steps, @Nullable Set<String> names, EvaluationContext context) {
        long work = names == null ? compileSteps() : 0;
        int longest = context.longestText();
        if (work > steps || longest == 0) {
            return work > steps;
        }
        Set<String> seen = new HashSet<>();
        long size = 0;
        if (names == null) {
            size = patternSize();
        } else {
            for (String name : names) {
                size += patternSize(name, seen);
            }
        }
        return work + longest * size > steps;
    }

    private long compileSteps() {
        long steps = 0;
        for (Part part : parts) {
            steps += part.compiled ? 0 : part.flags.size() * COMPILE_STEPS;
        }
        return steps;
    }

    /** Returns the size of the patterns of a flag and of those that it depends on, which were not seen before. */
    private long patternSize(String name, Set<String> seen) {
        Flag flag = seen.add(name) ? flag(name) : null;
        if (flag == null) {
            return 0;
        }
        long size = flag.definition().patternSize();
        for (Prerequisite p : flag.definition().prerequisites()) {
            size += patternSize(p.flagName(), seen);
        }
        return size;
    }

    /**
     * Returns the length of the longest chain of prerequisites, if a flag had these ones. There must be no cycle.
     *
     * @param atMost the length at which the search ends
     */
    public int longestChain(String name, List<Prerequisite> prerequisites, int atMost) {
        Map<String, Integer> known = new HashMap<>();
        int longest = chain(name, name, prerequisites, known, atMost);
        for (Part part : parts) {
            for (String other : part.flags.keySet()) {
                longest = Math.max(longest, chain(other, name, prerequisites, known, atMost));
            }
        }
        return longest;
    }

    private int chain(
            String name, String changed, List<Prerequisite> changedTo, Map<String, Integer> known, int atMost) {
        Integer done = known.get(name);
        if (done != null || atMost == 0) {
            return done == null ? 1 : done;
        }
        List<Prerequisite> next = name.equals(changed) ? changedTo : prerequisites(name);
        int longest = 0;
        for (Prerequisite p : next) {
            longest = Math.max(longest, chain(p.flagName(), changed, changedTo, known, atMost - 1) + 1);
        }
        known.put(name, longest);
        return longest;
    }

    private boolean reaches(String from, String to, Set<String> seen) {
        if (!seen.add(from)) {
            return false;
        }
        for (Prerequisite p : prerequisites(from)) {
            if (p.flagName().equals(to) || reaches(p.flagName(), to, seen)) {
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
            if (p.flagName().equals(name) || reaches(p.flagName(), name, new HashSet<>(Set.of(name)))) {
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

    /** Evaluates all flags for one user, in the order of their names. */
    public List<Evaluation> evaluateAll(EvaluationContext context) {
        Map<String, Evaluation> done = new HashMap<>();
        List<Evaluation> all = new ArrayList<>();
        for (Part part : parts) {
            for (Flag flag : part.flags.values()) {
                all.add(evaluate(flag.compiled(), context, done, null));
            }
            part.compiled = true;
        }
        return all;
    }

    /** Evaluates several flags for one user. */
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
        Flag flag = flag(name);
        if (flag == null) {
            if (trace != null) {
                trace.add("flag", "does not exist");
            }
            return new Evaluation(name, null, false, null, Reason.FLAG_NOT_FOUND);
        }
        return evaluate(flag.compiled(), context, done, trace);
    }

    /**
     * Evaluates a flag.
     *
     * @param done the results so far of flags with prerequisites and of prerequisites: each is evaluated only once
     */
    private Evaluation evaluate(
            CompiledFlag flag,
            EvaluationContext context,
            @Nullable Map<String, Evaluation> done,
            @Nullable Trace trace) {
        FlagDefinition definition = flag.definition();
        Evaluation known = done == null || done.isEmpty() ? null : done.get(definition.name());
        if (known != null) {
            return known;
        }
        if (!definition.enabled()) {
            if (trace != null) {
                trace.add("is_enabled", "false: off");
            }
            return flag.off(Reason.DISABLED);
        }
        if (definition.prerequisites().isEmpty()) {
            return flag.decide(context, trace);
        }
        Map<String, Evaluation> shared = done == null ? new HashMap<>() : done;
        shared.put(definition.name(), IN_PROGRESS);
        Evaluation result = hasPrerequisites(definition, context, shared, trace)
                ? flag.decide(context, trace)
                : flag.off(Reason.PREREQUISITE_FAILED);
        shared.put(definition.name(), result);
        return result;
    }

    private boolean hasPrerequisites(
            FlagDefinition definition, EvaluationContext context, Map<String, Evaluation> done, @Nullable Trace trace) {
        for (Prerequisite p : definition.prerequisites()) {
            String failure = failure(p, context, done);
            if (trace != null) {
                trace.add("prerequisites." + p.flagName(), failure == null ? "holds" : failure);
            }
            if (failure != null) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("ReferenceEquality") // the mark is compared by identity
    private @Nullable String failure(Prerequisite p, EvaluationContext context, Map<String, Evaluation> done) {
        Evaluation e = evaluate(p.flagName(), context, done, null);
        if (e == IN_PROGRESS) {
            return "is part of a cycle";
        }
        done.put(p.flagName(), e);
        if (!e.enabled()) {
            return "is off (" + e.reason() + ")";
        }
        String got = e.variant() == null ? null : e.variant().name();
        return p.variant() == null || p.variant().equals(got) ? null : "is on, but not with variant " + p.variant();
    }
}
