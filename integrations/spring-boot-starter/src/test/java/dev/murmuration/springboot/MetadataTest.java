package dev.murmuration.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.reward.ChatTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.context.annotation.ImportCandidates;

/** What editors and Spring Boot read of the jar. */
class MetadataTest {
  private static JsonNode metadata() throws IOException {
    try (InputStream in =
        MurmurationProperties.class.getResourceAsStream(
            "/META-INF/spring-configuration-metadata.json")) {
      return new ObjectMapper().readTree(Objects.requireNonNull(in));
    }
  }

  @Test
  void everyPropertyIsDescribedForEditorsAndInTheReadme() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    List<String> names = new ArrayList<>();
    for (JsonNode property : metadata().get("properties")) {
      String name = property.get("name").asText();
      names.add(name);
      assertThat(property.path("description").asText()).as(name).endsWith(".");
      assertThat(readme).contains("`" + name.substring("murmuration.".length()) + "`");
    }
    assertThat(names).contains("murmuration.model", "murmuration.health.timeout").hasSize(21);
  }

  @Test
  void theTemplatesAreThoseOfTheLibrary() throws IOException {
    List<String> names = new ArrayList<>();
    for (JsonNode hint : metadata().get("hints")) {
      if (hint.get("name").asText().equals("murmuration.template")) {
        hint.get("values").forEach(value -> names.add(value.get("value").asText()));
      }
    }
    assertThat(names)
        .containsExactlyInAnyOrderElementsOf(
            ChatTemplate.all().stream().map(ChatTemplate::name).toList());
  }

  @Test
  void springBootFindsTheConfigurations() {
    assertThat(ImportCandidates.load(AutoConfiguration.class, getClass().getClassLoader()))
        .contains(
            MurmurationAutoConfiguration.class.getName(),
            MurmurationHealthAutoConfiguration.class.getName(),
            MurmurationMetricsAutoConfiguration.class.getName(),
            MurmurationSpringAiAutoConfiguration.class.getName());
  }
}
