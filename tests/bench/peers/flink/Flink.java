import java.io.IOException;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Three identical page errors within an hour, with Flink in one process: a packed window each key, on the heap, with checkpoints. */
public final class Flink {
    private static final TypeInformation<Tuple2<String, Long>> ERROR = TypeInformation.of(new TypeHint<>() {});

    private static final class Errors implements DeserializationSchema<Tuple2<String, Long>> {
        @Override
        public void deserialize(byte[] value, Collector<Tuple2<String, Long>> out) throws IOException {
            PageError error = PageError.read(value);
            if (error != null)
                out.collect(Tuple2.of(error.key(), error.ms()));
        }

        @Override
        public Tuple2<String, Long> deserialize(byte[] value) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isEndOfStream(Tuple2<String, Long> next) {
            return false;
        }

        @Override
        public TypeInformation<Tuple2<String, Long>> getProducedType() {
            return ERROR;
        }
    }

    private static final class Judge extends KeyedProcessFunction<String, Tuple2<String, Long>, String> {
        private transient ValueState<long[]> windows;

        @Override
        public void open(OpenContext context) {
            ValueStateDescriptor<long[]> packed = new ValueStateDescriptor<>("windows", long[].class);
            packed.enableTimeToLive(StateTtlConfig.newBuilder(Duration.ofMinutes(70)).build());
            windows = getRuntimeContext().getState(packed);
        }

        @Override
        public void processElement(Tuple2<String, Long> error, Context context, Collector<String> out) throws IOException {
            long[] window = windows.value();
            if (window == null)
                window = Window.empty();
            if (Window.add(window, error.f1))
                out.collect("alert\t" + error.f1 + "\t" + error.f0);
            windows.update(window);
        }
    }

    public static void main(String[] args) throws Exception {
        Configuration settings = new Configuration();
        settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + System.getenv("SCRATCH"));
        StreamExecutionEnvironment flink = StreamExecutionEnvironment.createLocalEnvironment(2, settings);
        flink.getConfig().enableObjectReuse();
        flink.enableCheckpointing(10_000);
        KafkaSource<Tuple2<String, Long>> errors = KafkaSource.<Tuple2<String, Long>>builder()
                .setBootstrapServers(System.getenv("KAFKA_BROKERS"))
                .setTopics(System.getenv("TOPIC"))
                .setGroupId(System.getenv("GROUP"))
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setValueOnlyDeserializer(new Errors())
                .build();
        flink.fromSource(errors, WatermarkStrategy.noWatermarks(), "kafka")
                .keyBy(error -> error.f0)
                .process(new Judge())
                .addSink(new Alerts());
        flink.execute("page errors");
    }

    private static final class Alerts implements org.apache.flink.streaming.api.functions.sink.SinkFunction<String> {
        @Override
        public void invoke(String alert, Context context) {
            System.out.println(alert);
        }
    }
}
