package dev.configservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules for the text in the source files. */
class SourceTextTest {
    private static final List<String> ROOTS =
            List.of("src/main/java", "src/test/java", "src/test/clients", "load-tests/src");
    private static final Pattern QUESTION = Pattern.compile(
            "/\\*\\*[\\s*]*(?:What|Whether|How|Where|Who|When|Which|Why)\\b[^\\n]*", Pattern.CASE_INSENSITIVE);

    /** Checks that no Javadoc begins with a question word: an index of first sentences must be readable. */
    @Test
    void noJavadocBeginsWithAQuestionWord() throws IOException {
        List<String> found = new ArrayList<>();
        int files = 0;
        for (String root : ROOTS) {
            try (Stream<Path> paths = Files.walk(Path.of(root))) {
                for (Path file :
                        paths.filter(p -> p.toString().endsWith(".java")).toList()) {
                    files++;
                    Matcher matcher = QUESTION.matcher(Files.readString(file));
                    while (matcher.find()) {
                        found.add(file + ": " + matcher.group());
                    }
                }
            }
        }
        assertThat(files).isPositive();
        assertThat(found).isEmpty();
    }
}
