package dev.murmuration.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Result files as RewardBench's programs write them: indented by four, their keys in order. */
@Tag("unit")
class ReferenceScoresTest {
  @TempDir Path folder;

  private ReferenceScores read(String json) throws IOException {
    return ReferenceScores.read(Files.writeString(folder.resolve("scores.json"), json));
  }

  private static Map<String, String> subset(String name) {
    return Map.of("subset", name);
  }

  /** {@code scripts/run_rm.py}: tensors of shape [batch, 1], of which one is NaN. */
  @Test
  void rewardBench() throws Exception {
    ReferenceScores scores =
        read(
            """
            {
                "chat_template": "raw",
                "id": [
                    30,
                    30,
                    31,
                    32
                ],
                "model": "berkeley-nest/Starling-RM-7B-alpha",
                "model_type": "Seq. Classifier",
                "results": [
                    1,
                    0,
                    1,
                    0
                ],
                "scores_chosen": [
                    [
                        -4.28125
                    ],
                    [
                        -6.5
                    ],
                    [
                        1e-05
                    ],
                    [
                        NaN
                    ]
                ],
                "scores_rejected": [
                    [
                        -7.0625
                    ],
                    [
                        -5.25
                    ],
                    [
                        -2
                    ],
                    [
                        -3.5
                    ]
                ],
                "subset": [
                    "alpacaeval-easy",
                    "hep-python",
                    "hep-python",
                    "hep-python"
                ],
                "text_chosen": [
                    "<s>[INST] How do I boil an egg? [/INST] In water.</s>",
                    "b",
                    "c",
                    "d"
                ],
                "text_rejected": [
                    [
                        {
                            "content": "How do I boil an egg?",
                            "role": "user"
                        }
                    ],
                    "b",
                    "c",
                    "d"
                ]
            }\
            """);
    assertThat(scores.model()).isEqualTo("berkeley-nest/Starling-RM-7B-alpha");
    assertThat(scores.of("30", subset("alpacaeval-easy"))).contains(List.of(-4.28125, -7.0625));
    assertThat(scores.of("30", subset("hep-python"))).contains(List.of(-6.5, -5.25));
    assertThat(scores.of("31", subset("hep-python"))).contains(List.of(1e-5, -2.0));
    assertThat(scores.of("32", subset("hep-python"))).as("a score that is no number").isEmpty();
    assertThat(scores.of("31", subset("alpacaeval-easy"))).isEmpty();
  }

  /** The pipelines of transformers give plain numbers, and ids may be texts. */
  @Test
  void numbersThatStandAlone() throws Exception {
    ReferenceScores scores =
        read(
            """
            {"id": ["7", "8", "8"], "model": "a/b", "scores_chosen": [1.5, 2, 3],
             "scores_rejected": [null, 1, 1], "subset": ["s", "s", "s"]}
            """);
    assertThat(scores.of("7", subset("s"))).as("not judged").isEmpty();
    assertThat(scores.of("8", subset("s"))).as("there twice").isEmpty();
  }

  /** {@code scripts/run_v2.py}: the scores of all responses, the correct ones first. */
  @Test
  void rewardBench2() throws Exception {
    ReferenceScores scores =
        read(
            """
            {
                "chat_template": "tokenizer",
                "id": ["0", "tied:3"],
                "model": "a/b",
                "num_correct": [1, 2],
                "results": [0.5, null],
                "scores": [[2.5, 2.5, 1.0, -3.0], [[4.0], [3.5], [1.0]]],
                "subset": ["Factuality", "Ties"],
                "text": [["x", "y", "z", "w"], ["x", "y", "z"]]
            }\
            """);
    assertThat(scores.of("0", subset("Factuality"))).contains(List.of(2.5, 2.5, 1.0, -3.0));
    assertThat(scores.of("tied:3", subset("Ties"))).contains(List.of(4.0, 3.5, 1.0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "[1]; holds no object",
        "{\"id\": [1]; is not valid JSON",
        "{\"alpacaeval-easy\": 0.97, \"model\": \"a\"}; 0 values in \"id\"",
        "{\"id\": [1, 2], \"subset\": [\"a\", \"a\"], \"scores_chosen\": [1, 2],"
            + " \"scores_rejected\": [1]}; 2 in \"scores_chosen\", 1 in \"scores_rejected\"",
        "{\"id\": 3}; a column \"id\" that is no list",
        "{\"scores\": [[\"x\"]]}; neither number nor text",
        "{\"id\": [{}]}; neither number nor text"
      })
  void otherFilesAreRefused(String json, String expected) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("scores.json")
        .hasMessageContaining(expected);
  }
}
