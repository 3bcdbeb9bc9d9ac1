package dev.configservice.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.global;
import static io.gatling.javaapi.core.CoreDsl.pause;
import static io.gatling.javaapi.core.CoreDsl.rampUsers;
import static io.gatling.javaapi.core.CoreDsl.scenario;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import io.gatling.javaapi.core.Simulation;
import java.time.Duration;

/** A fleet of {@code users} instances (1000): each registers, sends heartbeats until the time is over, and leaves. */
public final class FleetSimulation extends Simulation {
    public FleetSimulation() {
        Duration wave = Target.DURATION.dividedBy(4);
        setUp(scenario("an instance")
                        .exec(session -> session.set("service", "fleet-" + session.userId() % 50)
                                .set("instance", "i" + session.userId()))
                        .exec(http("POST /registry/register")
                                .post("/registry/register")
                                .header("Authorization", Target.AUTHORIZATION)
                                .body(StringBody("{\"service_name\":\"#{service}\",\"instance_id\":\"#{instance}\","
                                        + "\"service_url\":\"http://#{instance}:1\",\"lease_seconds\":30}"))
                                .check(status().is(200)))
                        .during(Target.DURATION.minus(wave))
                        .on(
                                pause(Duration.ofMillis(1500), Duration.ofMillis(2500)),
                                exec(http("PUT /registry/health")
                                        .put("/registry/health")
                                        .header("Authorization", Target.AUTHORIZATION)
                                        .body(StringBody("{\"service_name\":\"#{service}\",\"instance_id\":"
                                                + "\"#{instance}\",\"status\":\"healthy\"}"))
                                        .check(status().is(200))))
                        .exec(http("POST /registry/deregister")
                                .post("/registry/deregister")
                                .header("Authorization", Target.AUTHORIZATION)
                                .body(StringBody(
                                        "{\"service_name\":\"#{service}\",\"instance_id\":\"#{instance}\"}"))
                                .check(status().is(204)))
                        .injectOpen(rampUsers(Target.users(1000)).during(wave)))
                .protocols(Target.protocol())
                .assertions(
                        global().failedRequests().count().is(0L),
                        global().responseTime().percentile(99).lt(Target.P99));
    }
}
