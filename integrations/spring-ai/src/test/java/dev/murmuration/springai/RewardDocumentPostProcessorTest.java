package dev.murmuration.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.DefaultContentFormatter;
import org.springframework.ai.document.Document;
import org.springframework.ai.rag.Query;
import org.springframework.util.MimeTypeUtils;

class RewardDocumentPostProcessorTest {
  private static final Query QUERY = new Query("How do I boil an egg?");
  private static final List<String> TEXTS =
      List.of(
          "Go away.",
          "Put the egg in boiling water for eight minutes.",
          "Put the egg in boiling water. I do not care.");
  private static final List<Document> DOCUMENTS =
      TEXTS.stream().map(text -> new Document(text, Map.of("source", text.length()))).toList();

  private static RewardModel model;
  private static RewardDocumentPostProcessor processor;

  @BeforeAll
  static void load() throws Exception {
    model = RewardModel.loadEmbedded();
    processor = RewardDocumentPostProcessor.of(model);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void documentsAreRankedByReward() {
    Ranking ranking = model.rank(QUERY.text(), TEXTS);
    List<Document> ranked = processor.apply(QUERY, DOCUMENTS);
    assertThat(ranked).hasSize(3);
    for (int i = 0; i < ranked.size(); i++) {
      Ranking.Entry entry = ranking.entries().get(i);
      Document given = DOCUMENTS.get(entry.index());
      Document document = ranked.get(i);
      assertThat(document.getId()).isEqualTo(given.getId());
      assertThat(document.getText()).isEqualTo(given.getText());
      assertThat(document.getScore()).isEqualTo(entry.reward().reward());
      assertThat(document.getMetadata())
          .containsEntry("source", given.getMetadata().get("source"))
          .containsEntry(RewardDocumentPostProcessor.REWARD, entry.reward().reward())
          .containsEntry(RewardDocumentPostProcessor.TRUNCATED_TOKENS, 0)
          .containsEntry(
              RewardDocumentPostProcessor.PROBABILITY_OF_BEST, entry.probabilityOfBest());
    }
  }

  @Test
  void theDocumentsGivenStayAsTheyWere() {
    Document document = new Document("Hi!", Map.of());
    document.setContentFormatter(DefaultContentFormatter.builder().build());
    Document judged = processor.process(QUERY, List.of(document)).getFirst();
    assertThat(document.getMetadata()).isEmpty();
    assertThat(document.getScore()).isNull();
    assertThat(judged.getContentFormatter()).isSameAs(document.getContentFormatter());
  }

  @Test
  void theBestAreKept() {
    List<Document> all = processor.process(QUERY, DOCUMENTS);
    assertThat(processor.topN(2).process(QUERY, DOCUMENTS)).isEqualTo(all.subList(0, 2));
    assertThat(processor.topN(7).process(QUERY, DOCUMENTS)).isEqualTo(all);
    assertThatThrownBy(() -> processor.topN(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("topN is 0; the least is 1");
  }

  @Test
  void noDocumentsStayNone() {
    assertThat(processor.process(QUERY, List.of())).isEmpty();
  }

  @Test
  void whatCannotBeScoredIsRefused() {
    Document picture =
        Document.builder()
            .id("picture")
            .media(new Media(MimeTypeUtils.IMAGE_PNG, URI.create("https://example.org/egg.png")))
            .build();
    assertThatThrownBy(() -> processor.process(QUERY, List.of(DOCUMENTS.getFirst(), picture)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("document picture, number 2 of 2, has media and no text");
    Document half = new Document("half \ud800");
    assertThatThrownBy(() -> processor.process(QUERY, List.of(DOCUMENTS.getFirst(), half)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("2", "surrogate");
    RewardDocumentPostProcessor hurried =
        processor.callOptions(CallOptions.defaults().timeout(Duration.ofNanos(1)));
    assertThatThrownBy(() -> hurried.process(QUERY, DOCUMENTS))
        .isInstanceOf(ScoringTimeoutException.class);
  }
}
