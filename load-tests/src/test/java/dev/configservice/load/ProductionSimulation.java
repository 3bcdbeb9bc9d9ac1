package dev.configservice.load;

import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.global;
import static io.gatling.javaapi.core.CoreDsl.percent;
import static io.gatling.javaapi.core.CoreDsl.randomSwitch;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import io.gatling.javaapi.core.Simulation;

/** A mix like production, {@code users} requests a second (1500): 95 % reads and evaluations, 4 % heartbeats, 1 % writes. */
public final class ProductionSimulation extends Simulation {
    public ProductionSimulation() {
        Target.seed();
        setUp(scenario("production")
                        .exec(randomSwitch()
                                .on(
                                        percent(45).then(exec(Steps.lookUp())),
                                        percent(10).then(exec(Steps.ofService())),
                                        percent(20).then(exec(Steps.discover())),
                                        percent(18).then(exec(Steps.evaluate())),
                                        percent(2).then(exec(Steps.evaluateAll())),
                                        percent(4).then(exec(Steps.beat())),
                                        percent(1).then(exec(Steps.write()))))
                        .injectOpen(constantUsersPerSec(Target.users(1500)).during(Target.DURATION)))
                .protocols(Target.protocol())
                .assertions(
                        global().failedRequests().count().is(0L),
                        global().responseTime().percentile(99).lt(Target.P99));
    }
}
