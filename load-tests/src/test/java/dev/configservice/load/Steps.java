package dev.configservice.load;

import static io.gatling.javaapi.core.CoreDsl.StringBody;
import static io.gatling.javaapi.core.CoreDsl.jsonPath;
import static io.gatling.javaapi.http.HttpDsl.http;
import static io.gatling.javaapi.http.HttpDsl.status;

import io.gatling.javaapi.http.HttpRequestActionBuilder;

/** The requests of clients, one step each. */
final class Steps {
    private Steps() {}

    static HttpRequestActionBuilder lookUp() {
        return http("GET /config/{key}")
                .get(s -> Target.BASE + "/config/key-" + Target.random(Target.KEYS)
                        + "?environment=load&service_name=service-" + Target.random(Target.SERVICES))
                .check(status().is(200), jsonPath("$.value").exists());
    }

    static HttpRequestActionBuilder ofService() {
        return http("GET /config/service/{name}")
                .get(s -> Target.BASE + "/config/service/service-" + Target.random(Target.SERVICES)
                        + "?environment=load")
                .check(status().is(200));
    }

    static HttpRequestActionBuilder discover() {
        return http("GET /registry/{service}")
                .get(s -> Target.BASE + "/registry/service-" + Target.random(Target.SERVICES))
                .check(status().is(200), jsonPath("$.service_url").exists());
    }

    static HttpRequestActionBuilder evaluate() {
        return http("POST /feature-flags/evaluate")
                .post("/feature-flags/evaluate")
                .body(StringBody(s -> "{\"flag_name\":\"flag-" + Target.random(Target.SERVICES)
                        + "\",\"environment\":\"load\",\"user_id\":\"user-" + Target.random(100_000) + "\"}"))
                .check(status().is(200), jsonPath("$.reason").exists());
    }

    static HttpRequestActionBuilder evaluateAll() {
        return http("POST /feature-flags/evaluate/bulk")
                .post("/feature-flags/evaluate/bulk")
                .body(StringBody(
                        s -> "{\"environment\":\"load\",\"user_id\":\"user-" + Target.random(100_000) + "\"}"))
                .check(status().is(200));
    }

    static HttpRequestActionBuilder beat() {
        return http("PUT /registry/health")
                .put("/registry/health")
                .header("Authorization", Target.AUTHORIZATION)
                .body(StringBody(s ->
                        "{\"service_name\":\"service-" + Target.random(Target.SERVICES) + "\",\"status\":\"healthy\"}"))
                .check(status().is(200));
    }

    /** A change of a key that nobody else changes at the same time needs no condition. */
    static HttpRequestActionBuilder write() {
        return http("POST /config")
                .post("/config")
                .header("Authorization", Target.AUTHORIZATION)
                .body(StringBody(s -> "{\"key\":\"written-" + java.util.UUID.randomUUID()
                        + "\",\"value\":1,\"environment\":\"load-writes\"}"))
                .check(status().is(201));
    }
}
