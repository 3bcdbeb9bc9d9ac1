// Ten calls with the client that is generated from the served description.
import {
  AccessApi, ChangeSetsApi, ChangesApi, Configuration, ConfigurationsApi, FlagsApi, RegistryApi,
} from "./generated/index";

const [url, key, env] = process.argv.slice(2);
const client = new Configuration({ basePath: url, headers: { Authorization: "ApiKey " + key } });

function require_(holds: boolean, what: string): void {
  if (!holds) throw new Error("not as expected: " + what);
}

async function main(): Promise<void> {
  const configurations = new ConfigurationsApi(client);
  const flags = new FlagsApi(client);
  const registry = new RegistryApi(client);
  require_((await new AccessApi(client).readSelf()).name === "admin", "who the caller is");
  const made = await configurations.putConfiguration({ id: "pool", environment: env, serviceName: "shop", configurationChange: { value: 120 } });
  require_(made.version === 1, "a new configuration");
  const read = await configurations.readConfiguration({ id: "pool", environment: env, serviceName: "shop" });
  require_(read.value === 120, "a whole number");
  await configurations.putConfiguration({ id: "limits", environment: env, configurationChange: { value: { a: [1] } } });
  require_((await configurations.listConfigurations({ environment: env })).items.length === 2, "a list");
  require_((await flags.putFlag({ id: "ui", environment: env, flagChange: { isEnabled: true } })).isEnabled === true, "a flag");
  require_((await flags.evaluateFlag({ evaluateFlagRequest: { flagName: "ui", environment: env, userId: "u" } })).enabled, "an evaluation");
  await registry.registerInstance({ registerInstanceRequest: { serviceName: env, serviceUrl: "http://a:1" } });
  require_((await registry.listInstances({ serviceName: env })).instances.length === 1, "an instance");
  const set = await new ChangeSetsApi(client).writeChangeSet({
    newChangeSet: { operations: [{ op: "delete", resourceType: "configuration", environment: env, key: "limits" }] },
  });
  require_(set.applied, "a change set");
  require_((await new ChangesApi(client).readChanges({ after: made.revision - 1, environment: env, limit: 100 })).items.length >= 3, "changes");
  await configurations.deleteConfiguration({ id: "pool", environment: env, serviceName: "shop", comment: "no longer needed" });
  const status = await configurations.readConfiguration({ id: "pool", environment: env, serviceName: "shop" }).then(() => 200, (e) => e.response.status);
  require_(status === 404, "404, not " + status);
  console.log("all calls done");
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
