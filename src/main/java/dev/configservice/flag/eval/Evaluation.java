package dev.configservice.flag.eval;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The result of a flag for a user. All users with the same result of a compiled flag share one object, so that values
 * derived from it are computed once and cached.
 */
public final class Evaluation {
    private final String flagName;
    private final @Nullable FlagDefinition flag;
    private final boolean enabled;
    private final FlagDefinition.@Nullable Variant variant;
    private final Reason reason;
    private volatile @Nullable Object view;

    Evaluation(
            String flagName,
            @Nullable FlagDefinition flag,
            boolean enabled,
            FlagDefinition.@Nullable Variant variant,
            Reason reason) {
        this.flagName = flagName;
        this.flag = flag;
        this.enabled = enabled;
        this.variant = variant;
        this.reason = reason;
    }

    public String flagName() {
        return flagName;
    }

    /** Returns the flag, or null if it does not exist. */
    public @Nullable FlagDefinition flag() {
        return flag;
    }

    public boolean enabled() {
        return enabled;
    }

    /** Returns the variant that the user gets, or null if the flag is off or has no variants. */
    public FlagDefinition.@Nullable Variant variant() {
        return variant;
    }

    public Reason reason() {
        return reason;
    }

    /**
     * Returns a value derived from this evaluation. It is created on first use and cached, so all callers must pass
     * equivalent functions.
     */
    @SuppressWarnings("unchecked")
    public <T> T view(Function<Evaluation, T> make) {
        Object v = view;
        if (v == null) {
            v = make.apply(this);
            view = v;
        }
        return (T) v;
    }
}
