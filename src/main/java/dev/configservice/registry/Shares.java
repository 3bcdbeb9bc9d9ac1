package dev.configservice.registry;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Instances with their shares of the picks, by weight. Immutable. An instance of weight 0 has no share. */
final class Shares {
    private final List<Instance> instances;

    /** The sums of the weights up to each instance; null if all weights are the same, as they are mostly. */
    private final long @Nullable [] sums;

    /** A step through the slots of all weights that visits each slot once per round, and spreads those of an instance. */
    private final long step;

    private Shares(List<Instance> instances, long @Nullable [] sums) {
        this.instances = instances;
        this.sums = sums;
        this.step = sums == null ? 1 : coprimeStep(sums[sums.length - 1]);
    }

    static Shares of(List<Instance> all) {
        List<Instance> picked = all.stream().filter(i -> i.weight() > 0).toList();
        if (picked.stream().mapToInt(Instance::weight).distinct().count() < 2) {
            return new Shares(picked, null);
        }
        long[] sums = new long[picked.size()];
        long sum = 0;
        for (int i = 0; i < sums.length; i++) {
            sum += picked.get(i).weight();
            sums[i] = sum;
        }
        return new Shares(picked, sums);
    }

    /** Returns the number nearest to the golden section of {@code slots} that has no divisor in common with it. */
    private static long coprimeStep(long slots) {
        long step = Math.max(1, Math.round(slots * 0.618));
        while (gcd(step, slots) != 1) {
            step++;
        }
        return step;
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    boolean isEmpty() {
        return instances.isEmpty();
    }

    List<Instance> instances() {
        return instances;
    }

    /** Returns the instance whose turn it is. Over a round of turns, each has exactly its share. */
    Instance turn(int turn) {
        long[] s = sums;
        return s == null
                ? instances.get(Math.floorMod(turn, instances.size()))
                : at(s, Math.floorMod(turn * step, s[s.length - 1]));
    }

    Instance random() {
        long[] s = sums;
        return s == null
                ? instances.get(ThreadLocalRandom.current().nextInt(instances.size()))
                : at(s, ThreadLocalRandom.current().nextLong(s[s.length - 1]));
    }

    private Instance at(long[] s, long slot) {
        int low = 0;
        int high = s.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (slot < s[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return instances.get(low);
    }
}
