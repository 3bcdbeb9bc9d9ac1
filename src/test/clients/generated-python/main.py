"""Ten calls with the client that is generated from the served description."""
import sys

import openapi_client as api
from openapi_client.configuration import Configuration
from openapi_client.exceptions import NotFoundException


def main(url: str, key: str, env: str) -> None:
    client = api.ApiClient(Configuration(host=url), header_name="Authorization", header_value="ApiKey " + key)
    configurations = api.ConfigurationsApi(client)
    flags = api.FlagsApi(client)
    registry = api.RegistryApi(client)

    assert api.AccessApi(client).read_self().name == "admin"
    made = configurations.put_configuration(
        "pool", api.ConfigurationChange(value=120), environment=env, service_name="shop"
    )
    assert made.version == 1, made
    read = configurations.read_configuration("pool", environment=env, service_name="shop")
    assert read.value == 120 and isinstance(read.value, int), read
    configurations.put_configuration("limits", api.ConfigurationChange(value={"a": [1]}), environment=env)
    assert len(configurations.list_configurations(environment=env).items) == 2
    assert flags.put_flag("ui", api.FlagChange(is_enabled=True), environment=env).is_enabled
    assert flags.evaluate_flag(api.EvaluateFlagRequest(flag_name="ui", environment=env, user_id="u")).enabled
    registry.register_instance(api.RegisterInstanceRequest(service_name=env, service_url="http://a:1"))
    assert len(registry.list_instances(env).instances) == 1
    operation = {"op": "delete", "resource_type": "configuration", "environment": env, "key": "limits"}
    change_set = api.ChangeSetsApi(client).write_change_set(api.NewChangeSet.from_dict({"operations": [operation]}))
    assert change_set.applied, change_set
    changes = api.ChangesApi(client).read_changes(after=made.revision - 1, environment=env, limit=100)
    assert len(changes.items) >= 3, changes
    configurations.delete_configuration(
        "pool", environment=env, service_name="shop", comment="no longer needed"
    )
    try:
        configurations.read_configuration("pool", environment=env, service_name="shop")
        raise AssertionError("a deleted configuration was read")
    except NotFoundException as e:
        assert e.status == 404, e
    print("all calls done")


main(*sys.argv[1:])
