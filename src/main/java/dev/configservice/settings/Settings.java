package dev.configservice.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * All settings. They have three sources, and a later one overrides an earlier one: the defaults that are packaged with
 * the service, the file that {@code CS_CONFIG_FILE} names, and environment variables. The variable of a setting is
 * {@code CS_<SECTION>_<NAME>}, or {@code CS_<SECTION>_<NAME>_FILE} for a file that contains the value.
 *
 * @param shown every setting, as {@code section.name}, with its value, or {@code (set)} where that may hold a secret
 */
public record Settings(
        HttpSettings http,
        PostgresSettings postgres,
        RedisSettings redis,
        KafkaSettings kafka,
        ClusterSettings cluster,
        AccessSettings access,
        SecretsSettings secrets,
        ConfigSettings config,
        FlagSettings flags,
        CacheSettings cache,
        ChangesSettings changes,
        RegistrySettings registry,
        FacadeSettings facades,
        SpringSettings spring,
        ConsoleSettings console,
        TracingSettings tracing,
        EmbeddedSettings embedded,
        ShutdownSettings shutdown,
        Map<String, String> shown) {

    private static final String DEFAULTS = "/config-service.yaml";
    /** The suffix of a variable that names a file with the value of the setting, which is how secrets are mounted. */
    private static final String FILE = "_FILE";

    /** The variables that others read: the log's configuration and the command line's. */
    private static final Set<String> NOT_SETTINGS =
            Set.of("CS_CONFIG_FILE", "CS_LOG_LEVEL", "CS_LOG_FORMAT", "CS_URL", "CS_API_KEY", "CS_API_KEY_FILE");

    /** The variables that Kubernetes sets for services whose names begin with {@code cs}. */
    private static final Pattern SERVICE_LINK = Pattern.compile(
            "CS_(\\w+_)?(SERVICE_HOST|SERVICE_PORT(_\\w+)?" + "|PORT_\\d+_(TCP|UDP|SCTP)(_ADDR|_PORT|_PROTO)?)");

    private static final Pattern LINK_ADDRESS = Pattern.compile("(tcp|udp|sctp)://.*");

    /**
     * Reads and checks all settings.
     *
     * @param environment the environment variables
     * @param embedded the default of the setting {@code embedded.enabled}
     * @throws SettingsException if settings are wrong; it names all of them
     */
    public static Settings load(Map<String, String> environment, boolean embedded) {
        Map<String, Map<String, String>> sections = defaults();
        if (embedded) {
            values(sections, "embedded").put("enabled", "true");
        }
        List<String> problems = new ArrayList<>();
        String file = environment.getOrDefault("CS_CONFIG_FILE", "");
        if (!file.isEmpty()) {
            overlay(sections, read(Path.of(file)), problems);
        }
        environment.forEach((variable, value) -> overlayVariable(sections, variable, value, problems));
        Settings settings = parse(sections, problems);
        if (!problems.isEmpty()) {
            throw new SettingsException(problems);
        }
        return settings;
    }

    /** Returns every setting with its default, by section and name, as in {@code conf/config-service.yaml}. */
    public static Map<String, Map<String, String>> defaults() {
        try (InputStream in = Objects.requireNonNull(Settings.class.getResourceAsStream(DEFAULTS), DEFAULTS)) {
            return sections(new YAMLMapper().readTree(in));
        } catch (IOException e) {
            throw new IllegalStateException("the packaged defaults cannot be read", e);
        }
    }

    private static Settings parse(Map<String, Map<String, String>> sections, List<String> problems) {
        Map<String, Section> open = new LinkedHashMap<>();
        sections.forEach((name, values) -> open.put(name, new Section(name, values, problems)));
        EmbeddedSettings embedded = EmbeddedSettings.from(get(open, "embedded"));
        ClusterSettings cluster = ClusterSettings.from(get(open, "cluster"));
        Map<String, String> shown = new LinkedHashMap<>();
        Settings settings = new Settings(
                HttpSettings.from(get(open, "http"), embedded.enabled()),
                PostgresSettings.from(get(open, "postgres"), embedded.enabled() || cluster.isEdge()),
                RedisSettings.from(get(open, "redis")),
                KafkaSettings.from(get(open, "kafka")),
                cluster,
                AccessSettings.from(get(open, "access"), embedded.enabled()),
                SecretsSettings.from(get(open, "secrets")),
                ConfigSettings.from(get(open, "config")),
                FlagSettings.from(get(open, "flags")),
                CacheSettings.from(get(open, "cache")),
                ChangesSettings.from(get(open, "changes")),
                RegistrySettings.from(get(open, "registry")),
                FacadeSettings.from(get(open, "facades")),
                SpringSettings.from(get(open, "spring")),
                ConsoleSettings.from(get(open, "console")),
                TracingSettings.from(get(open, "tracing")),
                embedded,
                ShutdownSettings.from(get(open, "shutdown")),
                Collections.unmodifiableMap(shown));
        open.values().forEach(Section::refuseUnknown);
        open.forEach((name, section) -> section.shown().forEach((key, value) -> shown.put(name + "." + key, value)));
        settings.refuseOpenDefaultKey(problems);
        settings.refuseBusWithoutKafka(problems);
        if (settings.access.adminKey().isEmpty() && cluster.secret().isEmpty()) {
            problems.add("cluster.secret: (empty) (expected: 16 characters or more, the same on all nodes, because"
                    + " access.admin-key is not set)");
        }
        return settings;
    }

    /**
     * Returns the secrets that all nodes of the cluster share: the one that protects new data, then those that protected
     * what is still there.
     */
    public List<String> clusterSecrets() {
        if (cluster.secret().isEmpty()) {
            return List.of(access.adminKey());
        }
        // without a previous secret, the admin key counts: it was in use before a secret was set
        String previous = cluster.secretPrevious().isEmpty() ? access.adminKey() : cluster.secretPrevious();
        return previous.isEmpty() ? List.of(cluster.secret()) : List.of(cluster.secret(), previous);
    }

    private void refuseBusWithoutKafka(List<String> problems) {
        String topic = spring.busTopic();
        boolean hasKafka = embedded.enabled()
                || cluster.isEdge()
                || !kafka.bootstrapServers().isEmpty();
        if (!topic.isEmpty() && (!hasKafka || topic.equals(kafka.topic()))) {
            problems.add("spring.bus-topic: " + topic + " (expected: a topic other than kafka.topic, at"
                    + " kafka.bootstrap-servers)");
        }
    }

    private void refuseOpenDefaultKey(List<String> problems) {
        if (access.isDefaultKey() && !http.isLoopback()) {
            problems.add("access.admin-key: (default) (expected: a key of your own, because http.host is not a"
                    + " loopback address)");
        }
    }

    private static Section get(Map<String, Section> open, String name) {
        return Objects.requireNonNull(open.get(name), name);
    }

    private static Map<String, String> values(Map<String, Map<String, String>> sections, String name) {
        return Objects.requireNonNull(sections.get(name), name);
    }

    private static JsonNode read(Path file) {
        try {
            return new YAMLMapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new SettingsException("CS_CONFIG_FILE: " + file + " (expected: YAML; line "
                    + (e.getLocation() == null ? "?" : e.getLocation().getLineNr()) + ")");
        } catch (IOException e) {
            throw new SettingsException("CS_CONFIG_FILE: " + file + " (expected: a readable file)");
        }
    }

    private static Map<String, Map<String, String>> sections(JsonNode tree) {
        Map<String, Map<String, String>> sections = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> section : tree.properties()) {
            Map<String, String> values = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> value : section.getValue().properties()) {
                values.put(
                        value.getKey(),
                        value.getValue().isNull() ? "" : value.getValue().asText());
            }
            sections.put(section.getKey(), values);
        }
        return sections;
    }

    private static void overlay(Map<String, Map<String, String>> sections, JsonNode tree, List<String> problems) {
        sections(tree).forEach((name, values) -> {
            Map<String, String> known = sections.get(name);
            if (known == null) {
                problems.add(name + ": unknown section (known: " + sections.keySet() + ")");
            } else {
                known.putAll(values);
            }
        });
    }

    private static void overlayVariable(
            Map<String, Map<String, String>> sections, String variable, String value, List<String> problems) {
        if (!variable.startsWith("CS_") || NOT_SETTINGS.contains(variable) || isServiceLink(variable, value)) {
            return;
        }
        if (variable.endsWith(FILE)) {
            String setting = variable.substring(0, variable.length() - FILE.length());
            try {
                overlayVariable(
                        sections, setting, Files.readString(Path.of(value)).strip(), problems);
            } catch (IOException e) {
                problems.add(variable + ": " + value + " (expected: a readable file)");
            }
            return;
        }
        boolean isKnown = false;
        for (Map.Entry<String, Map<String, String>> section : sections.entrySet()) {
            String prefix = "CS_" + section.getKey().toUpperCase(Locale.ROOT) + "_";
            if (variable.startsWith(prefix)) {
                isKnown = true;
                String name = variable.substring(prefix.length())
                        .toLowerCase(Locale.ROOT)
                        .replace('_', '-');
                if (section.getValue().containsKey(name)) {
                    section.getValue().put(name, value);
                } else {
                    problems.add(variable + ": unknown setting (known: " + section.getKey() + "."
                            + section.getValue().keySet() + ")");
                }
            }
        }
        if (!isKnown) {
            problems.add(
                    variable + ": unknown section (known: CS_<SECTION>_<NAME> with one of " + sections.keySet() + ")");
        }
    }

    /** Tells whether Kubernetes set a variable because there is a service whose name begins with {@code cs}. */
    private static boolean isServiceLink(String variable, String value) {
        return SERVICE_LINK.matcher(variable).matches()
                || (variable.endsWith("_PORT") && LINK_ADDRESS.matcher(value).matches());
    }
}
