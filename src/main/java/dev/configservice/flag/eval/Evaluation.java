package dev.configservice.flag.eval;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a flag is for a user. All users for whom one compiled flag comes out alike get the same object; what is worked out
 * from it is worked out once and kept.
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

    /** The flag; null where it is not found. */
    public @Nullable FlagDefinition flag() {
        return flag;
    }

    public boolean enabled() {
        return enabled;
    }

    /** The variant that the user gets; null where the flag is off or has none. */
    public FlagDefinition.@Nullable Variant variant() {
        return variant;
    }

    public Reason reason() {
        return reason;
    }

    /** What a caller makes of it; made once. Every caller must ask for the same. */
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
