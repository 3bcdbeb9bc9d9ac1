package dev.configservice.load;

import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.global;
import static io.gatling.javaapi.core.CoreDsl.incrementUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import io.gatling.javaapi.core.Simulation;

/**
 * Lookups that arrive whatever the service does (an open model): more in each of five steps, up to {@code users} a second
 * (2000), each of which asks for a key, for all of a service, and for an instance.
 */
public final class LookupSimulation extends Simulation {
    private static final int STEPS = 5;

    public LookupSimulation() {
        Target.seed();
        double step = Target.users(2000) / (double) STEPS;
        setUp(scenario("lookups")
                        .exec(exec(Steps.lookUp()), exec(Steps.ofService()), exec(Steps.discover()))
                        .injectOpen(incrementUsersPerSec(step)
                                .times(STEPS)
                                .eachLevelLasting(Target.DURATION.dividedBy(STEPS))
                                .startingFrom(step)))
                .protocols(Target.protocol())
                .assertions(
                        global().failedRequests().count().is(0L),
                        global().responseTime().percentile(99).lt(Target.P99));
    }
}
