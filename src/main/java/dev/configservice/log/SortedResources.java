package dev.configservice.log;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.RandomAccess;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The resources of a unit, sorted by name in the order of code points. Immutable. They are held in parts of at most
 * {@value #MAX_PART}. A change copies one part and shares all others, together with what a feature has computed from
 * them. So a change costs about the same in a unit of ten resources and in one of fifty thousand.
 */
public final class SortedResources extends AbstractList<Resource> implements RandomAccess {
    /** The resources of a unit that has none. */
    public static final SortedResources EMPTY = new SortedResources(List.of());

    private static final int MAX_PART = 256;
    private static final int NEW_PART = MAX_PART / 2;
    private static final Comparator<Resource> BY_NAME = Comparator.comparing(Resource::name, CodePointOrder.INSTANCE);

    private final List<Part> parts;
    /** The index of the first resource of each part, and the number of all resources. */
    private final int[] starts;

    private final long bytes;

    /** Some neighbouring resources, at least one, and a feature's view of them. */
    public static final class Part {
        private static final int PER_RESOURCE = 600;
        /** A row is kept as a string, and rendered or parsed in the view. */
        private static final int TIMES = 3;

        private final List<Resource> resources;
        private final long bytes;
        private volatile @Nullable Object view;

        private Part(List<Resource> sorted) {
            this.resources = List.copyOf(sorted);
            long sum = 0;
            for (Resource r : resources) {
                sum += PER_RESOURCE
                        + (long) TIMES * r.row().length()
                        + r.sealed().length();
            }
            this.bytes = sum;
        }

        /** Returns the resources, sorted by name. */
        public List<Resource> resources() {
            return resources;
        }

        /**
         * Returns the view that a feature makes of the part, computed once. Every caller must ask for the same type of
         * view, or a {@link ClassCastException} is thrown.
         */
        public <T> T view(Class<T> type, Function<List<Resource>, T> make) {
            Object known = view;
            if (known == null) {
                // one thread makes it, the others wait: all would need the same time
                synchronized (this) {
                    known = view;
                    if (known == null) {
                        known = make.apply(resources);
                        view = known;
                    }
                }
            }
            return type.cast(known);
        }

        private String first() {
            return resources.get(0).name();
        }

        private int indexOf(String name) {
            int low = 0;
            int high = resources.size() - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                int order =
                        CodePointOrder.INSTANCE.compare(resources.get(middle).name(), name);
                if (order == 0) {
                    return middle;
                } else if (order < 0) {
                    low = middle + 1;
                } else {
                    high = middle - 1;
                }
            }
            return -1 - low;
        }
    }

    private SortedResources(List<Part> parts) {
        this.parts = List.copyOf(parts);
        this.starts = new int[this.parts.size() + 1];
        long sum = 0;
        for (int i = 0; i < this.parts.size(); i++) {
            starts[i + 1] = starts[i] + this.parts.get(i).resources.size();
            sum += this.parts.get(i).bytes;
        }
        this.bytes = sum;
    }

    /** Sorts resources, which may be in any order. Their names must be unique. */
    public static SortedResources of(Collection<Resource> resources) {
        if (resources.isEmpty()) {
            return EMPTY;
        }
        List<Resource> sorted = new ArrayList<>(resources);
        sorted.sort(BY_NAME);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < sorted.size(); i += NEW_PART) {
            parts.add(new Part(sorted.subList(i, Math.min(sorted.size(), i + NEW_PART))));
        }
        return new SortedResources(parts);
    }

    /** Returns the parts in their order. */
    public List<Part> parts() {
        return parts;
    }

    /** Returns an estimate of the memory that the resources take together with their views, in bytes. */
    public long bytes() {
        return bytes;
    }

    /** Returns the part that contains the resource with this name, if there is one; null if there are no parts. */
    public @Nullable Part partOf(String name) {
        // most units have one part
        return parts.isEmpty() ? null : parts.get(parts.size() == 1 ? 0 : indexOfPart(name));
    }

    /** Returns the index of the last part that begins at the name or before it; 0 if there is none. */
    private int indexOfPart(String name) {
        int low = 1;
        int high = parts.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (CodePointOrder.INSTANCE.compare(parts.get(middle).first(), name) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return low - 1;
    }

    /** Returns the resource with this name; null if there is none. */
    public @Nullable Resource byName(String name) {
        Part part = partOf(name);
        int at = part == null ? -1 : part.indexOf(name);
        return part == null || at < 0 ? null : part.resources.get(at);
    }

    /** Returns these resources with another one, which replaces the one with its name. */
    public SortedResources with(Resource resource) {
        if (parts.isEmpty()) {
            return new SortedResources(List.of(new Part(List.of(resource))));
        }
        int place = indexOfPart(resource.name());
        Part part = parts.get(place);
        List<Resource> changed = new ArrayList<>(part.resources);
        int at = part.indexOf(resource.name());
        if (at >= 0) {
            changed.set(at, resource);
        } else {
            changed.add(-1 - at, resource);
        }
        return changed.size() <= MAX_PART
                ? replaced(place, List.of(new Part(changed)))
                : replaced(
                        place,
                        List.of(
                                new Part(changed.subList(0, NEW_PART)),
                                new Part(changed.subList(NEW_PART, changed.size()))));
    }

    /** Returns these resources without the one that has this name, if there is one. */
    public SortedResources without(String name) {
        Part part = partOf(name);
        int at = part == null ? -1 : part.indexOf(name);
        if (part == null || at < 0) {
            return this;
        }
        List<Resource> changed = new ArrayList<>(part.resources);
        changed.remove(at);
        return replaced(indexOfPart(name), changed.isEmpty() ? List.of() : List.of(new Part(changed)));
    }

    private SortedResources replaced(int place, List<Part> by) {
        List<Part> changed = new ArrayList<>(parts.size() + 1);
        changed.addAll(parts.subList(0, place));
        changed.addAll(by);
        changed.addAll(parts.subList(place + 1, parts.size()));
        return changed.isEmpty() ? EMPTY : new SortedResources(changed);
    }

    @Override
    public Resource get(int index) {
        if (index < 0 || index >= size()) {
            throw new IndexOutOfBoundsException(index);
        }
        int found = Arrays.binarySearch(starts, index);
        int place = found >= 0 ? found : -2 - found;
        return parts.get(place).resources.get(index - starts[place]);
    }

    @Override
    public int size() {
        return starts[parts.size()];
    }

    @Override
    public Iterator<Resource> iterator() {
        return new Iterator<>() {
            private int place;
            private int at;

            @Override
            public boolean hasNext() {
                return place < parts.size();
            }

            @Override
            public Resource next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                List<Resource> part = parts.get(place).resources;
                Resource next = part.get(at++);
                if (at == part.size()) {
                    place++;
                    at = 0;
                }
                return next;
            }
        };
    }
}
