package dev.configservice.settings;

import java.util.List;

/**
 * A failure to start because of wrong settings. Each problem is one line that names the setting, its value (unless it
 * may be a secret) and the expected value.
 */
public final class SettingsException extends RuntimeException {
    private final transient List<String> problems;

    public SettingsException(List<String> problems) {
        super(String.join("; ", problems));
        this.problems = List.copyOf(problems);
    }

    public SettingsException(String problem) {
        this(List.of(problem));
    }

    public List<String> problems() {
        return problems;
    }
}
