package dev.configservice.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that name an environment and a service. */
final class PlaceOptions {
    @Option(
            names = {"-e", "--environment"},
            paramLabel = "ENVIRONMENT",
            description = "The environment")
    @Nullable
    String environment;

    @Option(
            names = {"-s", "--service"},
            paramLabel = "SERVICE",
            description = "The service. Without it: what all services share")
    @Nullable
    String service;

    ServiceClient.Query query() {
        return new ServiceClient.Query().with("environment", environment).with("service_name", service);
    }

    /** Returns the environment. Fails if it is not given. */
    String required() {
        if (environment == null) {
            throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "--environment is required");
        }
        return environment;
    }
}
