package dev.configservice.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeysetFileTest {
    @TempDir
    Path directory;

    private List<String> files() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    /** Runs a command of the service in a shell, and returns its exit code. */
    private static int shell(String before, String... arguments) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        before + "; exec " + java + " -XX:-UsePerfData -Xmx128m -cp \"$CP\" dev.configservice.Main "
                                + String.join(" ", arguments))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        return process.exitValue();
    }

    @Test
    void replacingKeepsThePreviousKeysetAndLeavesNoOtherFile() throws IOException {
        Path file = directory.resolve("keyset.json");
        KeysetFile.create(file, "first");
        KeysetFile.replace(file, "second");
        Path previous = KeysetFile.replace(file, "third");

        assertThat(file).hasContent("third");
        assertThat(previous).hasContent("second");
        assertThat(files()).containsExactly("keyset.json", "keyset.json.previous");
        for (Path each : List.of(file, previous)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void creatingNeverReplacesAFile() throws IOException {
        Path file = directory.resolve("keyset.json");
        KeysetFile.create(file, "first");

        assertThatThrownBy(() -> KeysetFile.create(file, "second")).isInstanceOf(FileAlreadyExistsException.class);

        assertThat(file).hasContent("first");
        assertThat(files()).containsExactly("keyset.json");
    }

    @Test
    void theKeysetSurvivesAFullDisk() throws Exception {
        Path file = directory.resolve("keyset.json");
        Keyring.keptIn(file);
        String before = Files.readString(file);
        String classPath = "export CP='" + System.getProperty("java.class.path") + "' CS_LOG_LEVEL=OFF";

        // simulates a full disk: every write to a file fails
        assertThat(shell(classPath + "; ulimit -f 0", "keyset-rotate", file.toString()))
                .isEqualTo(1);
        assertThat(file).hasContent(before);
        assertThat(files()).containsExactly("keyset.json");
        Path other = directory.resolve("other.json");
        assertThat(shell(classPath + "; ulimit -f 0", "keyset-new", other.toString()))
                .isEqualTo(1);
        assertThat(files()).containsExactly("keyset.json");

        assertThat(shell(classPath, "keyset-rotate", file.toString())).isZero();
        assertThat(Files.readString(file)).isNotEqualTo(before);
        assertThat(directory.resolve("keyset.json.previous")).hasContent(before);
    }
}
