package dev.murmuration.springboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.RewardModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
      return model.rank("Hello?", java.util.List.of("Go away.", "Hi!")).best().response();
    }
  }

  @Test
  void anApplicationScores() throws Exception {
    try (ConfigurableApplicationContext context =
        SpringApplication.run(Application.class, "--murmuration.model=embedded")) {
      assertThat(context.getBean(Greeter.class).best()).isEqualTo("Hi!");
      assertThat(context.getBean(HealthEndpoint.class).healthForPath("murmuration").getStatus())
          .isEqualTo(Status.UP);
    }
    String readme = Files.readString(Path.of("README.md"));
    assertThat(readme).contains("return model.rank(").contains("record Greeter(RewardModel model)");
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
