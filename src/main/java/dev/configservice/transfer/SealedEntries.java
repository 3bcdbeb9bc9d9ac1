package dev.configservice.transfer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import dev.configservice.snapshot.Resources;
import dev.configservice.transfer.ImportedDocument.Entry;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Opens the encrypted values of a document, for callers who may see them where they come from. */
final class SealedEntries {
    private final Resources resources;
    private final Keyring keyring;

    SealedEntries(Resources resources, Keyring keyring) {
        this.resources = resources;
        this.keyring = keyring;
    }

    /** Returns a document whose encrypted values are opened. Those that are stored in the same form are not given. */
    Future<ImportedDocument> opened(ImportedDocument document, Caller caller) {
        List<Entry> entries = new ArrayList<>();
        List<FieldError> errors = new ArrayList<>();
        Future<Void> opening = Future.succeededFuture();
        for (Entry entry : document.entries()) {
            opening = entry.fields().has(ExportRoutes.SEALED) || entry.fields().has(ExportRoutes.SEALED_ID)
                    ? opening.compose(v -> opened(entry, caller, errors)
                            .onSuccess(entries::add)
                            .mapEmpty())
                    : opening.onSuccess(v -> entries.add(entry));
        }
        return opening.map(v -> {
            if (!errors.isEmpty()) {
                throw ServiceException.invalid(errors);
            }
            return new ImportedDocument(entries, document.scopes(), document.isComplete());
        });
    }

    private Future<Entry> opened(Entry entry, Caller caller, List<FieldError> errors) {
        String id = entry.fields().path(ExportRoutes.SEALED_ID).asText("");
        String text = entry.fields().path(ExportRoutes.SEALED).asText("");
        Sealed sealed = sealed(text);
        if (!Ids.isId(id) || sealed == null) {
            errors.add(new FieldError(
                    entry.at() + "." + ExportRoutes.SEALED, "must be an exported value, together with its sealed_id"));
            return Future.succeededFuture(entry);
        }
        String kind = entry.path().kind().name();
        return resources
                .path(kind, id.toLowerCase(Locale.ROOT))
                .map(Optional::of)
                .recover(e -> e instanceof ServiceException s && s.code() == ErrorCode.NOT_FOUND
                        ? Future.succeededFuture(Optional.empty())
                        : Future.failedFuture(e))
                .compose(place -> {
                    requireSecrets(caller, place.orElse(null));
                    return resources
                            .unit(entry.path().unit(), 0)
                            .map(snapshot -> opened(
                                    entry,
                                    id,
                                    sealed,
                                    snapshot.resources().byName(entry.path().name()),
                                    errors));
                });
    }

    private Entry opened(Entry entry, String id, Sealed sealed, @Nullable Resource current, List<FieldError> errors) {
        ObjectNode fields = entry.fields().deepCopy();
        fields.remove(List.of(ExportRoutes.SEALED, ExportRoutes.SEALED_ID));
        if (fields.has("value")) {
            errors.add(new FieldError(entry.at() + ".value", "cannot be given together with " + ExportRoutes.SEALED));
        }
        boolean isInClear =
                fields.has("is_encrypted") && !fields.path("is_encrypted").asBoolean(true);
        if (!isInClear) {
            fields.put("is_encrypted", true);
        }
        boolean isThere = !isInClear
                && current != null
                && current.id().equals(id)
                && current.sealed().equals(sealed);
        if (!isThere) {
            try {
                fields.set("value", Json.read(keyring.open(id, sealed)));
            } catch (ServiceException e) {
                errors.add(new FieldError(
                        entry.at() + "." + ExportRoutes.SEALED,
                        "cannot be opened: it was sealed with another keyset, or for another sealed_id"));
            }
        }
        return new Entry(entry.at(), entry.path(), fields);
    }

    private static @Nullable Sealed sealed(String text) {
        try {
            Sealed sealed = Sealed.ofBase64(text);
            return sealed.isEmpty() ? null : sealed;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Fails unless a caller may see the values at a place; everywhere, if it is not known. */
    private static void requireSecrets(Caller caller, Resources.@Nullable Path place) {
        if (place != null) {
            caller.require(
                    Right.SECRETS_READ, place.unit().environment(), place.unit().serviceName());
            return;
        }
        caller.require(Right.SECRETS_READ);
        if (!caller.environments().isAll() || !caller.serviceNames().isAll()) {
            throw new ServiceException(
                    ErrorCode.FORBIDDEN,
                    "Your right secrets:read is limited, and the encrypted values come from elsewhere",
                    List.of(),
                    Map.of("missing_right", Right.SECRETS_READ.text()));
        }
    }
}
