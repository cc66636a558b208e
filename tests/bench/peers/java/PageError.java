import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.util.Locale;
import java.util.regex.Pattern;

/** What the two peers on the JVM share: which events count, and under which key. */
public record PageError(String key, long ms) {
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Event(String type, String time, Page page, Error error) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Page(String url) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Error(String type, String code, String message) {}

    private static final ObjectReader EVENTS = new ObjectMapper().readerFor(Event.class);
    private static final Pattern DIGITS = Pattern.compile("\\d+");
    private static final Pattern VARYING = Pattern.compile("\\b[0-9a-f]{8,}\\b|\\d+");

    /** Null of any other event. */
    public static PageError read(byte[] value) throws IOException {
        Event event = EVENTS.readValue(value);
        if (!event.type.equals("page.error"))
            return null;
        String page = DIGITS.matcher(URI.create(event.page.url).getPath()).replaceAll(":id");
        String message = VARYING.matcher(event.error.message.toLowerCase(Locale.ROOT)).replaceAll("*");
        return new PageError(
                page + "|" + event.error.type + "|" + event.error.code + "|" + message,
                Instant.parse(event.time).toEpochMilli());
    }
}
