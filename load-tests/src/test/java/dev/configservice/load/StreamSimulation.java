package dev.configservice.load;

import static io.gatling.javaapi.core.CoreDsl.atOnceUsers;
import static io.gatling.javaapi.core.CoreDsl.constantUsersPerSec;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.forAll;
import static io.gatling.javaapi.core.CoreDsl.global;
import static io.gatling.javaapi.core.CoreDsl.rampUsers;
import static io.gatling.javaapi.core.CoreDsl.regex;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.sse;

import io.gatling.javaapi.core.ChainBuilder;
import io.gatling.javaapi.core.ScenarioBuilder;
import io.gatling.javaapi.core.Simulation;
import java.time.Duration;

/**
 * {@code users} streams (500): they connect within a fifth of the time, each hears a change that is written meanwhile; then
 * all of them come at once (a storm of clients that lost their node), and hear the next.
 */
public final class StreamSimulation extends Simulation {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static ChainBuilder connect(String name) {
        return exec(
                sse(name)
                        .get("/changes/stream?environment=load-writes")
                        .await(PATIENCE)
                        .on(sse.checkMessage("a change")
                                .matching(regex("configuration.created"))
                                .check(regex("load-writes"))),
                sse("close").close());
    }

    public StreamSimulation() {
        Target.seed();
        int streams = Target.users(500);
        Duration fifth = Target.DURATION.dividedBy(5);
        ScenarioBuilder connecting = scenario("connect and receive").exec(connect("connect"));
        ScenarioBuilder storm = scenario("reconnect storm").exec(connect("reconnect"));
        ScenarioBuilder writing = scenario("writes").exec(Steps.write());
        setUp(
                        connecting.injectOpen(rampUsers(streams).during(fifth)),
                        storm.injectOpen(
                                io.gatling.javaapi.core.CoreDsl.nothingFor(fifth.multipliedBy(3)),
                                atOnceUsers(streams)),
                        // so that there is always a next one to hear
                        writing.injectOpen(constantUsersPerSec(1).during(Target.DURATION.plusSeconds(2))))
                .protocols(Target.protocol())
                .assertions(
                        global().failedRequests().count().is(0L), forAll().failedRequests().percent().is(0.0));
    }
}
