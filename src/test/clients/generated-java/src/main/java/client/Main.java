package client;

import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.AccessApi;
import org.openapitools.client.api.ChangeSetsApi;
import org.openapitools.client.api.ChangesApi;
import org.openapitools.client.api.ConfigurationsApi;
import org.openapitools.client.api.FlagsApi;
import org.openapitools.client.api.RegistryApi;
import org.openapitools.client.model.ConfigurationChange;
import org.openapitools.client.model.EvaluateFlagRequest;
import org.openapitools.client.model.FlagChange;
import org.openapitools.client.model.ModelConfiguration;
import org.openapitools.client.model.NewChangeSet;
import org.openapitools.client.model.NewChangeSetOperationsItem;
import org.openapitools.client.model.RegisterInstanceRequest;

/** Ten calls with a generated client. Arguments: the address of the service, a key, an environment. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws ApiException {
        ApiClient client = Setup.client(arguments[0], arguments[1]);
        String env = arguments[2];
        ConfigurationsApi configurations = new ConfigurationsApi(client);
        FlagsApi flags = new FlagsApi(client);
        RegistryApi registry = new RegistryApi(client);

        var self = new AccessApi(client).readSelf();
        require("admin".equals(self.getName()), "who the caller is, not " + self);
        ModelConfiguration made = configurations.putConfiguration(
                "pool", new ConfigurationChange().value(120).description("size"), env, "shop", null, null, null);
        require(made.getVersion() == 1, "a new configuration");
        ModelConfiguration read = configurations.readConfiguration(
                "pool", null, null, null, env, "shop", null, null, null);
        require("120".equals(String.valueOf(read.getValue())), "a whole number, not " + read.getValue());
        configurations.putConfiguration("limits", new ConfigurationChange().value(Map.of("a", List.of(1))), env, null, null, null, null);
        require(
                configurations.listConfigurations(null, null, null, null, env, null, null, null, null, null, null)
                                .getItems()
                                .size()
                        == 2,
                "a list");
        require(
                flags.putFlag("ui", new FlagChange().isEnabled(true), env, null, null, null).getIsEnabled(),
                "a flag");
        require(
                flags.evaluateFlag(new EvaluateFlagRequest().flagName("ui").environment(env).userId("u"), null)
                        .getEnabled(),
                "an evaluation");
        registry.registerInstance(
                new RegisterInstanceRequest().serviceName(env).serviceUrl(java.net.URI.create("http://a:1")));
        require(registry.listInstances(env, null).getInstances().size() == 1, "an instance");
        NewChangeSetOperationsItem delete = new NewChangeSetOperationsItem()
                .op(NewChangeSetOperationsItem.OpEnum.DELETE)
                .resourceType(NewChangeSetOperationsItem.ResourceTypeEnum.CONFIGURATION)
                .environment(env)
                .key("limits");
        require(
                new ChangeSetsApi(client)
                        .writeChangeSet(new NewChangeSet().addOperationsItem(delete), null, null, null)
                        .getApplied(),
                "a change set");
        require(
                new ChangesApi(client)
                                .readChanges(made.getRevision() - 1, env, null, null, null, null, 100, null)
                                .getItems()
                                .size()
                        >= 3,
                "changes");
        configurations.deleteConfiguration("pool", env, "shop", "no longer needed", null, null);
        try {
            configurations.readConfiguration("pool", null, null, null, env, "shop", null, null, null);
            require(false, "it is deleted");
        } catch (ApiException e) {
            require(e.getCode() == 404, "404, not " + e.getCode());
        }
        System.out.println("all calls done");
        System.exit(0);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("not as expected: " + what);
        }
    }
}
