package dev.murmuration;

import dev.murmuration.reward.RawText;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/** Texts of known lengths: each word is one token of Llama 2's vocabulary. */
public final class TestTexts {
  private static final List<String> WORDS =
      List.of("all", "time", "one", "good", "people", "from", "life", "her", "were", "world");

  private TestTexts() {}

  /** So many words, without a space around them; the text has one token more, BOS. */
  public static String words(int count, Random random) {
    return random
        .ints(count, 0, WORDS.size())
        .mapToObj(WORDS::get)
        .collect(Collectors.joining(" "));
  }

  /**
   * Texts as best-of-N makes them: prompts with some responses each, some of them equal, some the
   * beginning of another one, from a few tokens to more than a batch.
   */
  public static List<String> bestOf(int prompts, int responses, long seed) {
    Random random = new Random(seed);
    List<String> texts = new ArrayList<>();
    for (int p = 0; p < prompts; p++) {
      String prompt = "[INST] " + words(1 + random.nextInt(p % 5 == 0 ? 150 : 40), random);
      String response = words(1 + random.nextInt(60), random);
      for (int r = 0; r < responses; r++) {
        texts.add(prompt + " [/INST] " + response);
        response =
            switch (r % 4) {
              case 0 -> response + " " + words(1 + random.nextInt(30), random);
              case 1 -> response;
              default -> words(1 + random.nextInt(60), random);
            };
      }
    }
    return texts;
  }

  /** Texts as they stand, as inputs. */
  public static List<RawText> inputs(List<String> texts) {
    return texts.stream().map(RawText::new).toList();
  }
}
