package dev.configservice.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.configservice.settings.Settings;
import dev.configservice.testing.Tools;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
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

    /** Returns the resources. A ServiceMonitor has no model, so its fields are checked one by one. */
    private static List<HasMetadata> resources(String yaml) throws IOException {
        List<HasMetadata> all = new ArrayList<>();
        for (JsonNode document : documents(yaml)) {
            String kind = document.path("apiVersion").asText() + "/"
                    + document.path("kind").asText();
            if (kind.equals("monitoring.coreos.com/v1/ServiceMonitor")) {
                serviceMonitor(document);
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

    private static void serviceMonitor(JsonNode monitor) {
        assertThat(names(monitor)).isSubsetOf("apiVersion", "kind", "metadata", "spec");
        assertThat(names(monitor.path("spec"))).isSubsetOf("selector", "endpoints");
        for (JsonNode endpoint : monitor.path("spec").path("endpoints")) {
            assertThat(names(endpoint)).isSubsetOf("port", "path", "interval");
            assertThat(endpoint.path("path").asText()).isEqualTo("/metrics");
        }
    }

    private static List<String> names(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static String kustomize(String overlay) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder("kubectl", "kustomize", "k8s/overlays/" + overlay).start();
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
                if (!name.equals("kustomization.yaml") && !name.equals("config-service.yaml")) {
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
        Set<String> mounted = new java.util.TreeSet<>();
        container.getVolumeMounts().forEach(m -> mounted.add(m.getName()));
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
