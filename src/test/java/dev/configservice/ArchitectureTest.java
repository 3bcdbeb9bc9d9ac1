package dev.configservice;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The allowed dependencies between packages. */
class ArchitectureTest {
    private static final String ROOT = "dev.configservice";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    private static String[] packages(String... names) {
        return Arrays.stream(names).map(n -> ROOT + "." + n + "..").toArray(String[]::new);
    }

    @Test
    void packagesHaveNoCyclicDependencies() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
        slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void featuresDoNotDependOnOneAnother() {
        List<String> features = List.of("config", "flag", "registry", "credential");
        for (String feature : features) {
            for (String other : features) {
                if (!feature.equals(other)) {
                    noClasses()
                            .that()
                            .resideInAnyPackage(packages(feature))
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(packages(other))
                            .check(CLASSES);
                }
            }
        }
    }

    @Test
    void sharedPackagesDoNotDependOnFeatures() {
        noClasses()
                .that()
                .resideInAnyPackage(packages(
                        "access",
                        "cluster",
                        "edge",
                        "error",
                        "events",
                        "http",
                        "json",
                        "log",
                        "postgres",
                        "resource",
                        "secret",
                        "settings",
                        "snapshot",
                        "vertx"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(packages("config", "flag", "registry", "credential", "node", "cli"))
                .check(CLASSES);
    }

    @Test
    void basePackagesDependOnlyOnErrors() {
        for (String low : List.of("access", "json", "vertx")) {
            noClasses()
                    .that()
                    .resideInAnyPackage(packages(low))
                    .should()
                    .dependOnClassesThat(
                            resideInAPackage(ROOT + "..").and(resideOutsideOfPackages(packages(low, "error"))))
                    .check(CLASSES);
        }
    }

    @Test
    void theFlagEvaluatorDependsOnNoOtherPackage() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".flag.eval..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(ROOT + ".flag.eval..", "java..", "com.google.re2j..", "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void errorsDependOnlyOnTheJdk() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".error..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(ROOT + ".error..", "java..", "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void eachLibraryIsUsedOnlyInItsPackages() {
        only("org.apache.kafka..", "events.kafka", "embedded");
        only("io.vertx.kafka..", "events.kafka");
        only("com.hazelcast..", "cluster", "snapshot", "registry", "node");
        only("io.vertx.redis..", "snapshot");
        only("io.vertx.pgclient..", "postgres", "log");
        only("com.google.crypto.tink..", "secret");
        only("org.flywaydb..", "postgres");
        only("io.zonky..", "embedded");
        only("redis.embedded..", "embedded");
    }

    private static void only(String library, String... places) {
        String[] allowed = packages(places);
        noClasses()
                .that()
                .resideOutsideOfPackages(allowed)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .check(CLASSES);
    }

    @Test
    void onlyTheHttpPackageDependsOnTheVertxRouter() {
        noClasses()
                .that()
                .resideOutsideOfPackages(ROOT + ".http..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.vertx.ext.web..")
                .check(CLASSES);
    }
}
