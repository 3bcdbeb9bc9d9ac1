package dev.configservice.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.configservice.cluster.Release;
import dev.configservice.settings.Settings;
import dev.configservice.testing.Keysets;
import dev.configservice.testing.Tools;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifests in k8s, read with the Kubernetes models. An unknown field is an error. */
class KubernetesTest {
    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "apps/v1/StatefulSet", StatefulSet.class,
            "apps/v1/Deployment", Deployment.class,
            "v1/Service", Service.class,
            "v1/ServiceAccount", ServiceAccount.class,
            "v1/ConfigMap", ConfigMap.class,
            "networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class,
            "v1/Namespace", Namespace.class,
            "networking.k8s.io/v1/Ingress", Ingress.class,
            "policy/v1/PodDisruptionBudget", PodDisruptionBudget.class,
            "autoscaling/v2/HorizontalPodAutoscaler", HorizontalPodAutoscaler.class);

    private static final YAMLMapper STRICT = YAMLMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            // the models would accept unknown fields; here they are errors
            .annotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated a) {
                    return false;
                }
            })
            .build();

    private static List<JsonNode> documents(String yaml) throws IOException {
        List<JsonNode> all = new ArrayList<>();
        STRICT.readerFor(JsonNode.class).<JsonNode>readValues(yaml).forEachRemaining(d -> {
            if (!d.isNull() && !d.isMissingNode()) {
                all.add(d);
            }
        });
        return all;
    }

    /** The kinds of other projects' definitions (CRDs), which have no model here: the fields of their {@code spec}. */
    private static final Map<String, List<String>> DEFINED_ELSEWHERE = Map.of(
            "monitoring.coreos.com/v1/ServiceMonitor", List.of("selector", "endpoints"),
            "monitoring.coreos.com/v1/PrometheusRule", List.of("groups"),
            "cert-manager.io/v1/Issuer", List.of("selfSigned", "ca"),
            "cert-manager.io/v1/Certificate",
                    List.of(
                            "isCA",
                            "commonName",
                            "dnsNames",
                            "secretName",
                            "duration",
                            "renewBefore",
                            "usages",
                            "privateKey",
                            "issuerRef"));

    /** Returns the resources that have a model. Of others the fields are checked. */
    private static List<HasMetadata> resources(String yaml) throws IOException {
        List<HasMetadata> all = new ArrayList<>();
        for (JsonNode document : documents(yaml)) {
            String kind = document.path("apiVersion").asText() + "/"
                    + document.path("kind").asText();
            List<String> fields = DEFINED_ELSEWHERE.get(kind);
            if (fields != null) {
                assertThat(names(document)).isSubsetOf("apiVersion", "kind", "metadata", "spec");
                assertThat(names(document.path("spec"))).isSubsetOf(fields);
                continue;
            }
            Class<? extends HasMetadata> model = KINDS.get(kind);
            assertThat(model).as(kind).isNotNull();
            try {
                all.add(STRICT.treeToValue(document, model));
            } catch (JsonProcessingException e) {
                throw new AssertionError(
                        kind + " " + document.path("metadata").path("name") + ": " + e.getMessage(), e);
            }
        }
        return all;
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static String kustomize(String overlay) throws IOException, InterruptedException {
        return kustomizeIn(Path.of("."), overlay);
    }

    private static String kustomizeIn(Path directory, String overlay) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder("kubectl", "kustomize", "k8s/overlays/" + overlay)
                    .directory(directory.toFile())
                    .start();
        } catch (IOException e) {
            Tools.require(false, "needs kubectl");
            throw e;
        }
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(err).isZero();
        return out;
    }

    @Test
    void everyManifestMatchesItsModel() throws IOException {
        int resources = 0;
        try (Stream<Path> files = Files.walk(Path.of("k8s"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).toList()) {
                String name = file.getFileName().toString();
                boolean isPatch =
                        file.toString().contains("components/bus-tls/") || file.endsWith("components/kafka/core.yaml");
                if (!name.equals("kustomization.yaml") && !name.equals("config-service.yaml") && !isPatch) {
                    resources += resources(Files.readString(file)).size();
                }
            }
        }
        assertThat(resources).isGreaterThan(15);
    }

    @Test
    void anUnknownFieldIsAnError() {
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> resources("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1}\n")))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("port");
    }

    @ParameterizedTest
    @ValueSource(strings = {"small", "production"})
    void anOverlayIsConsistent(String overlay, @TempDir Path directory) throws IOException, InterruptedException {
        List<HasMetadata> resources = resources(kustomize(overlay));
        ConfigMap settings = one(resources, ConfigMap.class, "config-service");
        Path file = directory.resolve("config-service.yaml");
        Files.writeString(file, settings.getData().get("config-service.yaml"));

        for (HasMetadata resource : resources) {
            PodTemplateSpec template = template(resource);
            if (template == null) {
                continue;
            }
            PodSpec pod = template.getSpec();
            assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
            assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
            assertThat(pod.getAutomountServiceAccountToken()).isFalse();
            assertThat(pod.getEnableServiceLinks()).isFalse();
            assertThat(resource.getMetadata().getNamespace()).isEqualTo("config-service");
            for (Container container : pod.getContainers()) {
                assertThat(container.getSecurityContext().getAllowPrivilegeEscalation())
                        .isFalse();
                assertThat(container.getSecurityContext().getCapabilities().getDrop())
                        .containsExactly("ALL");
                assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
                assertThat(container.getReadinessProbe()).isNotNull();
                if (container.getName().equals("config-service")) {
                    node(pod, container, file, directory);
                }
            }
        }
        if (overlay.equals("production")) {
            StatefulSet core = one(resources, StatefulSet.class, "config-service-core");
            assertThat(core.getSpec().getReplicas()).isEqualTo(3);
            assertThat(core.getSpec().getTemplate().getSpec().getTopologySpreadConstraints())
                    .hasSize(2);
            for (PodDisruptionBudget budget : all(resources, PodDisruptionBudget.class)) {
                HasMetadata of =
                        one(resources, HasMetadata.class, budget.getMetadata().getName());
                Map<String, String> labels =
                        Objects.requireNonNull(template(of)).getMetadata().getLabels();
                assertThat(labels)
                        .containsAllEntriesOf(budget.getSpec().getSelector().getMatchLabels());
            }
            HorizontalPodAutoscaler scaler = one(resources, HorizontalPodAutoscaler.class, "config-service-edge");
            assertThat(one(
                            resources,
                            Deployment.class,
                            scaler.getSpec().getScaleTargetRef().getName()))
                    .isNotNull();
        }
    }

    /** Everything that may be left out, in a production of its own: no component needs another but the certificate's. */
    @Test
    void eachComponentCanBeLeftOutAndAdded(@TempDir Path directory) throws IOException, InterruptedException {
        Path overlay = Path.of("k8s/overlays/production/kustomization.yaml");
        List<String> components;
        try (Stream<Path> all = Files.list(Path.of("k8s/components"))) {
            components = all.map(c -> c.getFileName().toString()).sorted().toList();
        }
        String text = Files.readString(overlay);
        String without = text.substring(0, text.indexOf("components:")) + text.substring(text.indexOf("patches:"));
        try (Stream<Path> files = Files.walk(Path.of("k8s"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = directory.resolve(file);
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        Path copied = directory.resolve(overlay);
        Files.writeString(copied, without);
        List<HasMetadata> bare = resources(kustomizeIn(directory, "production"));
        assertThat(all(bare, HorizontalPodAutoscaler.class)).isEmpty();
        assertThat(one(bare, Deployment.class, "config-service-edge").getSpec().getReplicas())
                .isEqualTo(2);
        for (String component : components) {
            Files.writeString(copied, without + "components: [../../components/" + component + "]\n");
            assertThat(resources(kustomizeIn(directory, "production")))
                    .as(component)
                    .isNotEmpty();
        }
    }

    @Test
    void theImageIsTaggedWithTheReleaseAndTheRulesAreThoseOfConf() throws IOException {
        String base = Files.readString(Path.of("k8s/base/kustomization.yaml"));
        assertThat(base).contains("newTag: " + Release.version() + "\n");
        assertThat(Files.readString(Path.of("pom.xml"))).contains("<image>config-service:${project.version}</image>");
        JsonNode component = documents(Files.readString(Path.of("k8s/components/monitoring/rules.yaml")))
                .get(0);
        JsonNode conf = documents(Files.readString(Path.of("conf/prometheus-rules.yaml")))
                .get(0);
        assertThat(component.get("spec")).isEqualTo(conf);
    }

    /** The secret that a command makes has every file that a manifest asks for. */
    @Test
    void theSecretOfTheSmallOverlayHasAllThatIsAskedFor(@TempDir Path directory)
            throws IOException, InterruptedException {
        Path keyset = Files.writeString(directory.resolve("keyset.json"), Keysets.FIRST);
        Process process = new ProcessBuilder(
                        "k8s/overlays/small/create-secret", keyset.toString(), "--dry-run=client", "-o", "yaml")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        JsonNode secret = documents(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .get(0);
        assertThat(process.waitFor()).isZero();
        List<String> keys = names(secret.get("data"));
        Matcher asked = Pattern.compile(
                        "/etc/config-service-secrets/([\\w.-]+)|key: (kafka-jaas|redis.conf|postgres-password)")
                .matcher(kustomize("small"));
        Set<String> needed = new TreeSet<>();
        while (asked.find()) {
            needed.add(asked.group(1) == null ? asked.group(2) : asked.group(1));
        }
        assertThat(needed).hasSize(8);
        assertThat(keys).containsAll(needed);
    }

    /** Checks a container that runs a node: its settings are valid, and its probes use paths that it serves. */
    private static void node(PodSpec pod, Container container, Path settingsFile, Path directory) throws IOException {
        assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(container.getReadinessProbe().getHttpGet().getPath()).isEqualTo("/ready");
        assertThat(container.getLivenessProbe().getHttpGet().getPath()).isEqualTo("/live");
        assertThat(container.getStartupProbe().getHttpGet().getPath()).isEqualTo("/live");
        Map<String, String> environment = new HashMap<>();
        for (EnvVar variable : container.getEnv()) {
            String value = variable.getValue() == null ? "10.0.0.1" : variable.getValue();
            if (variable.getName().endsWith("_FILE")) {
                String secret = variable.getName().contains("REDIS")
                        ? "redis://h:1\n"
                        : "postgresql://u:sixteen-characters@h:1/d\n";
                value = Files.writeString(directory.resolve(variable.getName()), secret)
                        .toString();
            }
            environment.put(variable.getName(), value);
        }
        environment.put("CS_CONFIG_FILE", settingsFile.toString());
        Settings settings = Settings.load(environment, false);
        assertThat(settings.cluster().isKubernetes()).isTrue();
        assertThat(settings.access().adminKey()).contains("sixteen-characters");
        assertThat(settings.postgres().uri().isEmpty())
                .isEqualTo(settings.cluster().isEdge());
        assertThat(pod.getTerminationGracePeriodSeconds())
                .isGreaterThan(settings.shutdown().grace().toSeconds());
        assertThat(container.getPorts().stream().map(p -> p.getContainerPort()))
                .contains(
                        settings.http().port(),
                        settings.cluster().port(),
                        settings.cluster().busPort());
        Set<String> mounted = new TreeSet<>();
        container.getVolumeMounts().forEach(m -> mounted.add(m.getName()));
        assertThat(container.getImagePullPolicy()).isEqualTo("IfNotPresent");
        assertThat(pod.getVolumes().stream().map(v -> v.getName())).containsExactlyInAnyOrderElementsOf(mounted);
    }

    private static @Nullable PodTemplateSpec template(HasMetadata resource) {
        if (resource instanceof StatefulSet s) {
            return s.getSpec().getTemplate();
        }
        return resource instanceof Deployment d ? d.getSpec().getTemplate() : null;
    }

    private static <T> List<T> all(List<HasMetadata> resources, Class<T> type) {
        return resources.stream().filter(type::isInstance).map(type::cast).toList();
    }

    /**
     * Returns the resource whose name has a prefix: Kustomize appends a hash to some names. Type {@code HasMetadata}
     * selects workloads only.
     */
    private static <T extends HasMetadata> T one(List<HasMetadata> resources, Class<T> type, String name) {
        return all(resources, type).stream()
                .filter(r -> r.getMetadata().getName().startsWith(name))
                .filter(r -> type != HasMetadata.class || template(r) != null)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + type.getSimpleName() + " " + name));
    }
}
