package dev.configservice.cluster;

import com.hazelcast.version.MemberVersion;
import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.FilterInfo;
import java.io.ObjectInputFilter.Status;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A filter that rejects Java serialization in this process. Without it, anyone who can send bytes to this node could
 * instantiate any class of the class path. The service stores its data in the grid in formats of its own and does not
 * need Java serialization. The filter allows only the types that Hazelcast itself sends between members in this form:
 *
 * <ul>
 *   <li>failures with their contents: Hazelcast decides by the class of a failure whether to retry;
 *   <li>enumerations and ids of Hazelcast, which two halves of a cluster need to merge.
 * </ul>
 */
final class JavaSerialization {
    private static final Logger log = LoggerFactory.getLogger(JavaSerialization.class);

    private JavaSerialization() {}

    /** Installs the filter for the whole process. It cannot be removed. */
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
            // each element of an object array is checked by itself
            return type.equals(StackTraceElement[].class) || type.equals(Object[].class);
        }
        String name = type.getName();
        return (Throwable.class.isAssignableFrom(type)
                        && (name.startsWith("java.") || name.startsWith("com.hazelcast.")))
                || type.equals(StackTraceElement.class)
                || type.equals(String.class)
                // the lists that hold the suppressed exceptions of a failure
                || name.equals("java.util.Collections$EmptyList")
                || name.equals("java.util.Collections$UnmodifiableList")
                || name.equals("java.util.Collections$UnmodifiableCollection")
                || name.equals("java.util.ArrayList");
    }
}
