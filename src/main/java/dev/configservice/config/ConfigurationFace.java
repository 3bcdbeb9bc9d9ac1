package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.events.audit.SecretReads;
import dev.configservice.http.Request;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.secret.Keyring;
import org.jspecify.annotations.Nullable;

/** Configurations as callers see them: who sees an encrypted value, and who sees actors. */
final class ConfigurationFace implements ResourceRoutes.Face {
    private final Keyring keyring;
    private final SecretReads secretReads;

    ConfigurationFace(Keyring keyring, SecretReads secretReads) {
        this.keyring = keyring;
        this.secretReads = secretReads;
    }

    @Override
    public String kind() {
        return ConfigurationKind.KIND;
    }

    @Override
    public String path() {
        return "/config";
    }

    @Override
    public Right writeRight() {
        return Right.CONFIG_WRITE;
    }

    @Override
    public boolean isMasked(Resource resource, Caller caller) {
        return resource.isSealed() && !caller.may(Right.SECRETS_READ, resource.environment(), resource.serviceName());
    }

    @Override
    public void requireRead(Resource resource, Caller caller) {
        if (resource.isSealed()) {
            caller.require(Right.SECRETS_READ, resource.environment(), resource.serviceName());
        } else {
            caller.require(Right.READ, resource.environment(), resource.serviceName());
        }
    }

    @Override
    public void wasRead(Resource resource, Request request) {
        if (resource.isSealed() && !isMasked(resource, request.caller())) {
            secretReads.note(resource, request.caller().name(), request.id());
        }
    }

    @Override
    public ObjectNode render(Resource resource, Caller caller) {
        ObjectNode o = ConfigurationLayer.render(resource);
        if (resource.isSealed() && !isMasked(resource, caller)) {
            o.set("value", open(resource));
        }
        if (caller.has(Right.AUDIT_READ)) {
            ObjectNode row = Json.readObject(resource.row());
            o.set("created_by", row.get("created_by"));
            o.set("updated_by", row.get("updated_by"));
        }
        return o;
    }

    /** The value of an encrypted configuration; only for a request that may see it. */
    JsonNode open(Resource resource) {
        return Json.read(keyring.open(resource.id(), resource.sealed()));
    }

    @Override
    public @Nullable JsonNode historyValue(Change change) {
        return Json.readObject(change.resource().row()).get(ConfigurationKind.VALUE);
    }
}
