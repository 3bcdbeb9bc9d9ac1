package dev.configservice;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static com.tngtech.archunit.library.freeze.FreezingArchRule.freeze;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Which part may know which. */
class ArchitectureTest {
    private static final String ROOT = "dev.configservice";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    private static String[] packages(String... names) {
        return java.util.Arrays.stream(names).map(n -> ROOT + "." + n + "..").toArray(String[]::new);
    }

    @Test
    void featuresDoNotKnowOneAnother() {
        for (String[] pair : new String[][] {
            {"config", "flag"},
            {"config", "registry"},
            {"flag", "config"},
            {"flag", "registry"},
            {"registry", "config"},
            {"registry", "flag"}
        }) {
            noClasses()
                    .that()
                    .resideInAnyPackage(packages(pair[0]))
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(packages(pair[1]))
                    .check(CLASSES);
        }
    }

    @Test
    void whatFeaturesShareKnowsNoFeature() {
        noClasses()
                .that()
                .resideInAnyPackage(packages("http", "change", "snapshot", "postgres", "json", "error", "cluster"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(packages("config", "flag", "registry"))
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCyclesBesideThoseThatAreBeingRemoved() {
        freeze(slices().matching(ROOT + ".(*)..").should().beFreeOfCycles()).check(CLASSES);
    }

    @Test
    void theEvaluatorIsPure() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".flag.eval..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(ROOT + ".flag.eval..", "java..", "com.google.re2j..", "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void errorsKnowOnlyTheJdk() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".error..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(ROOT + ".error..", "java..", "org.jspecify..")
                .check(CLASSES);
    }

    @Test
    void oneLibraryHasOnePlace() {
        only("org.apache.kafka..", "change.kafka", "embedded");
        only("io.vertx.kafka..", "change.kafka");
        only("com.hazelcast..", "cluster", "snapshot", "registry", "");
        only("io.vertx.redis..", "snapshot");
        only("io.vertx.pgclient..", "postgres", "change");
        only("com.google.crypto.tink..", "secret");
        only("org.flywaydb..", "postgres");
        only("io.zonky..", "embedded");
        only("redis.embedded..", "embedded");
    }

    /** The empty name stands for the composition root. */
    private static void only(String library, String... places) {
        String[] allowed = java.util.Arrays.stream(places)
                .map(p -> p.isEmpty() ? ROOT : ROOT + "." + p + "..")
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideOutsideOfPackages(allowed)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .check(CLASSES);
    }

    @Test
    void domainResultsKnowNoRouting() {
        noClasses()
                .that()
                .resideOutsideOfPackages(ROOT + ".http..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.vertx.ext.web..")
                .check(CLASSES);
    }
}
