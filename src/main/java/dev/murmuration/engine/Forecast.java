package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Decode;
import java.util.ArrayList;
import java.util.List;

/** What texts that are submitted together will cost, without computing any. */
final class Forecast {
  private Forecast() {}

  /**
   * The plans of all waves in one, on a cache that is empty at first and keeps of a wave what the
   * next one begins with.
   *
   * @param texts token ids
   */
  static Plan of(Planner planner, List<int[]> texts) {
    List<Request> requests =
        Text.sorted(texts.stream().map(tokens -> new Request(tokens, false)).toList());
    List<int[]> waiting = requests.stream().map(Request::tokens).toList();
    List<Decode> decodes = new ArrayList<>();
    List<Plan.Source> sources = new ArrayList<>();
    long reused = 0;
    CachedTexts before = new CachedTexts(planner.maxTexts());
    for (int from = 0, to; from < waiting.size(); from = to) {
      to = from + planner.fitting(waiting.subList(from, waiting.size()));
      List<int[]> wave =
          Text.distinct(requests.subList(from, to)).stream().map(Text::tokens).toList();
      Plan plan = planner.planRewards(wave, wave.stream().map(before::longest).toList());
      reused += plan.tokensReused();
      decodes.addAll(plan.decodes());
      sources.addAll(plan.sources());
      before.clear();
      wave.forEach(text -> before.put(before.take(), text, Double.NaN));
    }
    long asked = texts.stream().mapToLong(text -> text.length).sum();
    return new Plan(asked, reused, sources, decodes);
  }
}
