package dev.configservice.transfer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.resource.PathWrites.Path;
import java.util.List;

/**
 * The content of a document or a flat file.
 *
 * @param scopes the resources that it is about, all of which {@code replace} makes as it says
 */
record ImportedDocument(List<Entry> entries, List<Stored.Scope> scopes, boolean isComplete) {
    /**
     * An entry of a document.
     *
     * @param at its place in the document, for errors
     */
    record Entry(String at, Path path, ObjectNode fields) {}
}
