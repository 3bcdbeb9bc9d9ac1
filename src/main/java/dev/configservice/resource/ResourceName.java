package dev.configservice.resource;

import dev.configservice.json.StringRule;
import dev.configservice.log.Ids;
import java.util.regex.Pattern;

/** The rule for the names of flags, templates and schemas, which can stand in a path in place of an id. */
public final class ResourceName {
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}");

    public static final StringRule RULE = text -> {
        if (!FORM.matcher(text).matches()) {
            return "must be 1 to 100 of A-Z a-z 0-9 . _ : - and start with a letter, a digit or _";
        }
        return Ids.isId(text) ? "may not look like a UUID" : null;
    };

    private ResourceName() {}
}
