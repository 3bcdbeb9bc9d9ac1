package dev.configservice.cluster;

import com.hazelcast.version.MemberVersion;
import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.FilterInfo;
import java.io.ObjectInputFilter.Status;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Java's own deserialization is off in this process: whoever can send bytes could else have any class of the class path
 * made. What the service keeps in the grid has formats of its own. Let through is what Hazelcast itself sends from member to
 * member in this form: failures, by whose class it knows whether to try again, with what every failure holds; and its
 * enumerations, without which two halves of a cluster do not come together again.
 */
final class JavaSerialization {
    private static final Logger log = LoggerFactory.getLogger(JavaSerialization.class);

    private JavaSerialization() {}

    /** Turns it off, for the whole process and for good. */
    static synchronized void turnOff() {
        if (ObjectInputFilter.Config.getSerialFilter() == null) {
            ObjectInputFilter.Config.setSerialFilter(JavaSerialization::check);
        }
    }

    static Status check(FilterInfo info) {
        Class<?> type = info.serialClass();
        if (type == null) {
            return info.depth() > 100 || info.references() > 10_000 ? Status.REJECTED : Status.UNDECIDED;
        }
        if (isOfFailures(type) || isOfMembers(type)) {
            return Status.ALLOWED;
        }
        log.warn("serialization.refused class={}", type.getName());
        return Status.REJECTED;
    }

    private static boolean isOfMembers(Class<?> type) {
        return type.equals(Enum.class)
                || type.equals(UUID.class)
                || type.equals(MemberVersion.class)
                || (Enum.class.isAssignableFrom(type) && type.getName().startsWith("com.hazelcast."));
    }

    private static boolean isOfFailures(Class<?> type) {
        if (type.isArray()) {
            // of an array of objects, each is looked at
            return type.equals(StackTraceElement[].class) || type.equals(Object[].class);
        }
        String name = type.getName();
        return (Throwable.class.isAssignableFrom(type)
                        && (name.startsWith("java.") || name.startsWith("com.hazelcast.")))
                || type.equals(StackTraceElement.class)
                || type.equals(String.class)
                // the list of a failure's suppressed ones
                || name.equals("java.util.Collections$EmptyList")
                || name.equals("java.util.Collections$UnmodifiableList")
                || name.equals("java.util.Collections$UnmodifiableCollection")
                || name.equals("java.util.ArrayList");
    }
}
