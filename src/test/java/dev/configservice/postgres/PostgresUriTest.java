package dev.configservice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.NotEmpty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresUriTest {
    @Test
    void allPartsAreRead() {
        PostgresUri uri = PostgresUri.parse(
                "postgresql://u:p@h1:5433,h2/d?sslmode=require&search_path=mine,public&target_session_attrs=read-write"
                        + "&application_name=x&connect_timeout=3");

        assertThat(uri.hosts()).containsExactly(new PostgresUri.Host("h1", 5433), new PostgresUri.Host("h2", 5432));
        assertThat(uri.user()).isEqualTo("u");
        assertThat(uri.password()).isEqualTo("p");
        assertThat(uri.database()).isEqualTo("d");
        assertThat(uri.sslMode()).isEqualTo(SslMode.REQUIRE);
        assertThat(uri.schema()).isEqualTo("mine");
        assertThat(uri.targetsPrimary()).isTrue();
        PgConnectOptions options = uri.options(uri.hosts().get(0));
        assertThat(options.getProperties())
                .containsEntry("application_name", "x")
                .containsEntry("search_path", "mine,public")
                // the defaults of the client stay
                .containsEntry("client_encoding", "utf8")
                .doesNotContainKey("extra_float_digits");
        assertThat(options.getSslOptions()).isNotNull();
    }

    @Test
    void absentPartsHaveTheDefaultsOfLibpq() {
        PostgresUri uri = PostgresUri.parse("postgres://me@/");

        assertThat(uri.hosts()).containsExactly(new PostgresUri.Host("localhost", 5432));
        assertThat(uri.database()).isEqualTo("me");
        assertThat(uri.password()).isEmpty();
        assertThat(uri.sslMode()).isEqualTo(SslMode.DISABLE);
        assertThat(uri.targetsPrimary()).isFalse();
    }

    @Test
    void partsMayBeParameters() {
        PostgresUri uri = PostgresUri.parse("postgresql:///d?host=a,b&port=1,2&user=u&password=p%26q");

        assertThat(uri.hosts()).containsExactly(new PostgresUri.Host("a", 1), new PostgresUri.Host("b", 2));
        assertThat(uri.password()).isEqualTo("p&q");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a+b$c==", "p@ss:w/ord", "100%", "%zz", "käse", "a b", "#!*'();", "50%41", "x?y=z&a"})
    void aPasswordMayHoldAnyCharacterAsItIsOrEncoded(String password) {
        String encoded = URLEncoder.encode(password, StandardCharsets.UTF_8).replace("+", "%20");

        assertThat(PostgresUri.parse("postgresql://u:" + encoded + "@h/d").password())
                .isEqualTo(password);
        if (!password.contains("%41")) {
            assertThat(PostgresUri.parse("postgresql://u:" + password + "@h/d").password())
                    .isEqualTo(password);
        }
    }

    @Property(tries = 200)
    void whatIsEncodedIsReadAsItWas(@ForAll @NotEmpty String user, @ForAll String password) {
        String cleanUser = user.replaceAll("\\p{Cs}", "x");
        String cleanPassword = password.replaceAll("\\p{Cs}", "x");
        PostgresUri uri =
                PostgresUri.parse("postgresql://" + encoded(cleanUser) + ":" + encoded(cleanPassword) + "@h/d");

        assertThat(uri.user()).isEqualTo(cleanUser);
        assertThat(uri.password()).isEqualTo(cleanPassword);
        assertThat(uri.hosts()).isEqualTo(List.of(new PostgresUri.Host("h", 5432)));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mysql://u:secret@h/d | must begin with postgresql://",
                "postgresql://u:secret@h/d?sslmode=on | sslmode must be",
                "postgresql://u:secret@h/d?sslmode=verify-full | needs sslrootcert",
                "postgresql://u:secret@h/d?sslmode=verify-ca&sslrootcert=system | needs sslmode verify-full",
                "postgresql://u:secret@h/d?sslmode=verify-ca&sslrootcert=/no/such/file | /no/such/file cannot be read",
                "postgresql://u:secret@h/d?sslcert=/etc/hostname | must be given together",
                "postgresql://u:secret@h/d?target_session_attrs=standby | this service writes",
                "postgresql://u:secret@h/d?passfile=x | parameter passfile is not supported",
                "postgresql://u:secret@h:port/d | a port must be a number",
                "postgresql://u:secret@h:0/d | a port must be a number",
                "postgresql://u:secret@h:70000/d | a port must be a number",
                "postgresql://u:secret@a,b/d?port=1,2,3 | has 2 hosts and 3 ports",
                "postgresql://u:secret@%2Fvar%2Frun/d | a socket in the file system",
                "postgresql://h/d | names no user",
            })
    void whatCannotWorkIsRefusedWithTheReasonAndWithoutThePassword(String uri, String reason) {
        assertThatThrownBy(() -> PostgresUri.parse(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason)
                .message()
                .doesNotContain("secret");
    }
}
