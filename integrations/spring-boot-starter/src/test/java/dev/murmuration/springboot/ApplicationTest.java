package dev.murmuration.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.RewardModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.stereotype.Component;

/** A whole application, with the starter and the actuator and nothing else said. */
class ApplicationTest {
  @SpringBootApplication
  static class Application {}

  @Component
  record Greeter(RewardModel model) {
    String best() {
      return model
          .rank("Hello?", List.of("Go away.", "Hi there, how can I help?"))
          .best()
          .response();
    }
  }

  @Test
  void anApplicationScores() throws Exception {
    try (ConfigurableApplicationContext context =
        SpringApplication.run(
            new Class<?>[] {Application.class, Greeter.class},
            new String[] {"--murmuration.model=embedded"})) {
      assertThat(context.getBean(Greeter.class).best()).startsWith("Hi there");
      assertThat(context.getBean(HealthEndpoint.class).healthForPath("murmuration").getStatus())
          .isEqualTo(Status.UP);
    }
  }

  @Test
  void theReadmesComponentIsTheOneHere() throws Exception {
    String shown = Files.readString(Path.of("README.md")).split("```(java)?\n", -1)[3];
    String tested =
        Files.readString(Path.of("src/test/java/dev/murmuration/springboot/ApplicationTest.java"));
    assertThat(tested.replaceAll("\\s+", "")).contains(shown.replaceAll("\\s+", ""));
  }

  @Test
  void anApplicationWithoutAModelSaysWhatToSet() {
    PrintStream out = System.out;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      assertThatThrownBy(() -> SpringApplication.run(Application.class).close())
          .hasRootCauseInstanceOf(RewardModelNotLoadedException.class);
    } finally {
      System.setOut(out);
    }
    assertThat(said.toString(StandardCharsets.UTF_8))
        .contains("APPLICATION FAILED TO START")
        .contains("murmuration.model is not set.")
        .contains("'embedded'");
  }
}
