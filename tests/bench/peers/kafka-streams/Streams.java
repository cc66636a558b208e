import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Three identical page errors within an hour, with Kafka Streams: page errors are sent on under their key, each key has
 * a packed window in a store in memory, which a changelog topic keeps safe.
 */
public final class Streams {
    private static final String WINDOWS = "windows";
    private static final LongAdder seen = new LongAdder(), sent = new LongAdder(), judged = new LongAdder();

    private static List<KeyValue<String, Long>> read(byte[] value) {
        seen.increment();
        try {
            PageError error = PageError.read(value);
            if (error == null)
                return List.of();
            sent.increment();
            return List.of(KeyValue.pair(error.key(), error.ms()));
        } catch (java.io.IOException e) {
            return List.of();
        }
    }

    private static final class Judge implements Processor<String, Long, String, Long> {
        private ProcessorContext<String, Long> context;
        private KeyValueStore<String, byte[]> windows;

        @Override
        public void init(ProcessorContext<String, Long> context) {
            this.context = context;
            windows = context.getStateStore(WINDOWS);
            context.schedule(Duration.ofMinutes(10), PunctuationType.STREAM_TIME, this::forget);
        }

        @Override
        public void process(Record<String, Long> record) {
            byte[] kept = windows.get(record.key());
            long[] window = Window.empty();
            if (kept != null)
                ByteBuffer.wrap(kept).asLongBuffer().get(window);
            if (Window.add(window, record.value()))
                context.forward(record);
            ByteBuffer packed = ByteBuffer.allocate(window.length * Long.BYTES);
            packed.asLongBuffer().put(window);
            windows.put(record.key(), packed.array());
            judged.increment();
        }

        /** What an hour has passed over, and ten minutes that events may be late. */
        private void forget(long now) {
            try (KeyValueIterator<String, byte[]> all = windows.all()) {
                while (all.hasNext()) {
                    KeyValue<String, byte[]> one = all.next();
                    long[] window = Window.empty();
                    ByteBuffer.wrap(one.value).asLongBuffer().get(window);
                    if (Window.last(window) < now - Window.WITHIN_MS - 600_000)
                        windows.delete(one.key);
                }
            }
        }
    }

    private static Properties settings() {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("GROUP"));
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("KAFKA_BROKERS"));
        p.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("SCRATCH"));
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        if (System.getenv("LINGER_MS") != null) // where latency counts (tests/bench/load_latency); else 100
            p.put(StreamsConfig.producerPrefix("linger.ms"), System.getenv("LINGER_MS"));
        return p;
    }

    private static StreamsBuilder topology(int partitions) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore(WINDOWS), Serdes.String(), Serdes.ByteArray()));
        builder.stream(System.getenv("TOPIC"), Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .flatMap((key, value) -> read(value))
                .repartition(Repartitioned.with(Serdes.String(), Serdes.Long())
                        .withName("page-errors").withNumberOfPartitions(partitions))
                .process(Judge::new, WINDOWS)
                .foreach((key, ms) -> System.out.println("alert\t" + ms + "\t" + key));
        return builder;
    }

    /** Runs until all of the topic was judged. */
    public static void main(String[] args) throws InterruptedException {
        long events = Long.parseLong(System.getenv("EVENTS"));
        AtomicBoolean failed = new AtomicBoolean();
        StreamsBuilder builder = topology(Integer.parseInt(System.getenv("PARTITIONS")));
        try (KafkaStreams streams = new KafkaStreams(builder.build(), settings())) {
            streams.setStateListener((now, before) -> failed.compareAndSet(false, now == KafkaStreams.State.ERROR));
            streams.start();
            while (!failed.get() && (seen.sum() < events || judged.sum() < sent.sum()))
                Thread.sleep(50);
        }
        System.exit(failed.get() ? 1 : 0);
    }
}
