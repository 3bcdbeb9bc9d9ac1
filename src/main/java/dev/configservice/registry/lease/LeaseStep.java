package dev.configservice.registry.lease;

import org.jspecify.annotations.Nullable;

/** An operation on one lease, or on all leases of a table. The owner of the table executes one step at a time. */
public sealed interface LeaseStep {
    /**
     * Executes the step.
     *
     * @param now the time of the owner's clock, in milliseconds
     */
    LeaseResult take(LeaseTable table, long now);

    /**
     * A heartbeat. It renews the lease for {@code millis}.
     *
     * @param generation the generation in the log
     * @param decides whether the heartbeat changes the status, so that it needs its own generation
     */
    record Beat(String key, long millis, long generation, boolean decides) implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            Lease lease = table.get(key);
            long known = Math.max(generation, lease == null ? 0 : lease.generation());
            boolean tells = decides || (lease != null && lease.expired());
            long next = tells ? known + 1 : known;
            table.put(key, new Lease(now + millis, millis, next, false));
            return tells ? new LeaseResult.Decided(next) : LeaseResult.SILENT;
        }
    }

    /** The expiry of a lease that was found overdue. It has no effect if the lease has been renewed since. */
    record Expire(String key) implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            Lease lease = table.get(key);
            if (lease == null || lease.deadline() > now) {
                return LeaseResult.SILENT;
            }
            long next = lease.generation() + 1;
            long removal = now + lease.millis() * Lease.LEASES_TO_REMOVAL;
            table.put(key, new Lease(removal, lease.millis(), next, true));
            return lease.expired() ? new LeaseResult.Removed(next) : new LeaseResult.Decided(next);
        }
    }

    /**
     * The undoing of an expiry that could not be written to the log. The lease is overdue again at once, so the next
     * sweep retries. It has no effect if there was a later decision.
     *
     * @param generation the generation of the expiry that was not written
     * @param atLeast the generation that the next decision must exceed
     * @param wasExpired whether the lease had already expired once before
     */
    record Restore(String key, long generation, long atLeast, boolean wasExpired) implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            Lease lease = table.get(key);
            if (lease != null && lease.generation() == generation) {
                table.put(key, new Lease(now, lease.millis(), Math.max(atLeast, generation), wasExpired));
            }
            return LeaseResult.SILENT;
        }
    }

    /**
     * The time until the removal of an instance whose lease has just expired, where that is not ten leases. It has no effect
     * if there was a later decision.
     */
    record Retire(String key, long removalMillis, long generation) implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            Lease lease = table.get(key);
            if (lease != null && lease.generation() == generation && lease.expired()) {
                table.put(key, new Lease(now + removalMillis, lease.millis(), generation, true));
            }
            return LeaseResult.SILENT;
        }
    }

    /**
     * The creation of a lease of full duration, for an instance whose lease the grid may have lost.
     *
     * @param removalMillis the time until the removal of an instance whose lease has expired
     */
    record Ensure(String key, long millis, long removalMillis, long generation, boolean isExpired)
            implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            if (table.get(key) == null) {
                long first = isExpired ? removalMillis : millis;
                table.put(key, new Lease(now + first, millis, generation, isExpired));
            }
            return LeaseResult.SILENT;
        }
    }

    /**
     * The extension of all leases by a new owner. Each gets its full duration, counted from {@code fromMillis}: the
     * deadlines are times of the clock of the owner before, which may be far ahead.
     */
    record Extend(long fromMillis) implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            table.extend(fromMillis);
            return LeaseResult.SILENT;
        }
    }

    /**
     * The removal of the lease of an instance that no longer exists. It has no effect on the lease of a later
     * registration, which has a higher generation.
     */
    record Remove(String key, long upToGeneration) implements LeaseStep {
        @Override
        public LeaseResult take(LeaseTable table, long now) {
            Lease lease = table.get(key);
            if (lease != null && lease.generation() <= upToGeneration) {
                table.remove(key);
            }
            return LeaseResult.SILENT;
        }
    }

    /** The serialized form of a step between members: its type, and one column for each field that steps have. */
    record Wire(String type, @Nullable String key, long millis, long generation, long atLeast, boolean flag) {
        static Wire of(LeaseStep step) {
            if (step instanceof Beat s) {
                return new Wire("beat", s.key, s.millis, s.generation, 0, s.decides);
            } else if (step instanceof Expire s) {
                return new Wire("expire", s.key, 0, 0, 0, false);
            } else if (step instanceof Restore s) {
                return new Wire("restore", s.key, 0, s.generation, s.atLeast, s.wasExpired);
            } else if (step instanceof Ensure s) {
                return new Wire("ensure", s.key, s.millis, s.generation, s.removalMillis, s.isExpired);
            } else if (step instanceof Retire s) {
                return new Wire("retire", s.key, s.removalMillis, s.generation, 0, false);
            } else if (step instanceof Extend s) {
                return new Wire("extend", null, s.fromMillis, 0, 0, false);
            } else if (step instanceof Remove s) {
                return new Wire("remove", s.key, 0, s.upToGeneration, 0, false);
            }
            throw new IllegalStateException("no wire form of " + step.getClass());
        }

        LeaseStep step() {
            String k = key == null ? "" : key;
            return switch (type) {
                case "beat" -> new Beat(k, millis, generation, flag);
                case "expire" -> new Expire(k);
                case "restore" -> new Restore(k, generation, atLeast, flag);
                case "ensure" -> new Ensure(k, millis, atLeast, generation, flag);
                case "retire" -> new Retire(k, millis, generation);
                case "extend" -> new Extend(millis);
                case "remove" -> new Remove(k, generation);
                default -> throw new IllegalStateException("unknown step: " + type);
            };
        }
    }
}
