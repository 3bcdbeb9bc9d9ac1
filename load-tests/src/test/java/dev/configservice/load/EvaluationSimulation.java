package dev.configservice.load;

import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.global;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import io.gatling.javaapi.core.Simulation;

/** Users who arrive, {@code users} a second (500): one flag by itself, then all of the environment. */
public final class EvaluationSimulation extends Simulation {
    public EvaluationSimulation() {
        Target.seed();
        setUp(scenario("evaluations")
                        .exec(exec(Steps.evaluate()), exec(Steps.evaluateAll()))
                        .injectOpen(constantUsersPerSec(Target.users(500)).during(Target.DURATION)))
                .protocols(Target.protocol())
                .assertions(
                        global().failedRequests().count().is(0L),
                        global().responseTime().percentile(99).lt(Target.P99));
    }
}
