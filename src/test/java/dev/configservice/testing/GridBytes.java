package dev.configservice.testing;

import com.hazelcast.config.Config;
import com.hazelcast.internal.serialization.InternalSerializationService;
import com.hazelcast.internal.serialization.impl.DefaultSerializationServiceBuilder;
import com.hazelcast.internal.serialization.impl.HeapData;
import com.hazelcast.internal.serialization.impl.compact.Schema;
import com.hazelcast.internal.serialization.impl.compact.SchemaService;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Objects of the grid as the bytes that its members send, together with their schemas. */
public final class GridBytes {
    private final InternalSerializationService service;

    public GridBytes(Config config) {
        service = new DefaultSerializationServiceBuilder()
                .setConfig(config.getSerializationConfig())
                .setSchemaService(new Schemas())
                .build();
    }

    public String write(Object object) {
        return HexFormat.of().formatHex(service.toDataWithSchema(object).toByteArray());
    }

    public <T> T read(String hex, Class<T> type) {
        return type.cast(service.toObject(new HeapData(HexFormat.of().parseHex(hex))));
    }

    /** The schemas that this side has met. */
    private static final class Schemas implements SchemaService {
        private final Map<Long, Schema> known = new HashMap<>();

        @Override
        public @Nullable Schema get(long schemaId) {
            return known.get(schemaId);
        }

        @Override
        public void put(Schema schema) {
            known.put(schema.getSchemaId(), schema);
        }

        @Override
        public void putLocal(Schema schema) {
            put(schema);
        }
    }
}
