import java.util.Arrays;

/**
 * The state of a key, packed: its last three times in order, 0 where there are fewer, and whether its episode is open,
 * which it is until an hour has passed without an error.
 */
public final class Window {
    public static final long WITHIN_MS = 3_600_000;
    private static final int AT_LEAST = 3;

    private Window() {}

    public static long[] empty() {
        return new long[AT_LEAST + 1];
    }

    public static long last(long[] window) {
        return window[AT_LEAST - 1];
    }

    /** True when this makes three within an hour, once an episode. */
    public static boolean add(long[] window, long ms) {
        if (ms - last(window) >= WITHIN_MS)
            window[AT_LEAST] = 0;
        if (ms > window[0]) {
            window[0] = ms;
            Arrays.sort(window, 0, AT_LEAST);
        }
        boolean fires = window[AT_LEAST] == 0 && window[0] > last(window) - WITHIN_MS;
        if (fires)
            window[AT_LEAST] = 1;
        return fires;
    }
}
