package dev.murmuration.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.engine.Plan.Decode;
import dev.murmuration.engine.Plan.Run;
import dev.murmuration.engine.Plan.Source;
import dev.murmuration.engine.Planner.Tile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.IntRange;

/**
 * Plans, without llama.cpp: every token of the prefix tree once, in an order that llama.cpp
 * accepts, within the limits, and the right hidden states asked for.
 */
@Tag("unit")
class PlannerTest {
  private static final int TILE = Tile.GGML.tokens();

  private static Tile tile(boolean tiled) {
    return tiled ? Tile.GGML : Tile.NONE;
  }

  /** Different texts that often begin alike, in the planner's order. */
  private static List<int[]> texts(Random random, int most, int longest) {
    List<int[]> texts = new ArrayList<>();
    for (int i = random.nextInt(most); i >= 0; i--) {
      int[] text = random.ints(1 + random.nextInt(longest), 0, 3).toArray();
      if (!texts.isEmpty() && random.nextInt(4) > 0) {
        int[] other = texts.get(random.nextInt(texts.size()));
        int same = random.nextInt(Math.min(other.length, text.length) + 1);
        // Often where it matters: at a tile's edge, or the whole text.
        same = random.nextBoolean() ? same / TILE * TILE : same;
        System.arraycopy(other, 0, text, 0, same);
        text = random.nextInt(4) == 0 && same > 0 ? Arrays.copyOf(text, same) : text;
      }
      texts.add(text);
    }
    texts.sort(Arrays::compare);
    return IntStream.range(0, texts.size())
        .filter(i -> i == 0 || !Arrays.equals(texts.get(i - 1), texts.get(i)))
        .mapToObj(texts::get)
        .toList();
  }

  /** What of each text a cache with these texts holds. */
  private static List<Source> cached(List<int[]> texts, List<int[]> inCache) {
    CachedTexts cache = new CachedTexts(Math.max(1, inCache.size()));
    inCache.forEach(text -> cache.put(cache.take(), text, Double.NaN));
    return texts.stream().map(cache::longest).toList();
  }

  @Property(tries = 2000)
  void aPlanComputesTheWholeTreeOnceAndReadsTheLastTokens(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 8) int batchTiles,
      @ForAll boolean tiled,
      @ForAll @IntRange(max = 400) int observedBelow) {
    Random random = new Random(seed);
    List<int[]> texts = texts(random, 20, 300);
    List<int[]> cache = new ArrayList<>(texts(random, 3, 300));
    texts.stream()
        .filter(text -> random.nextInt(4) == 0)
        .forEach(text -> cache.add(Arrays.copyOf(text, 1 + random.nextInt(text.length))));
    List<Source> cached = cached(texts, cache);
    int batch = batchTiles * TILE;
    Planner planner = new Planner(batch, TILE, 1 << 20, 256, tile(tiled), observedBelow);

    Plan plan = planner.planRewards(texts, cached);

    int[] lengths = new int[texts.size()];
    Set<List<Integer>> tree = new HashSet<>();
    Set<List<Integer>> reused = new HashSet<>();
    for (int i = 0; i < lengths.length; i++) {
      assertThat(plan.sources().get(i).length())
          .isEqualTo(planner.reusable(texts.get(i).length, cached.get(i).length()));
      if (plan.sources().get(i).length() > 0) {
        assertThat(plan.sources().get(i).sequence()).isEqualTo(cached.get(i).sequence());
      }
      lengths[i] = planner.reusable(texts.get(i).length, cached.get(i).length());
      List<Integer> text = Arrays.stream(texts.get(i)).boxed().toList();
      for (int length = 1; length <= lengths[i]; length++) {
        reused.add(text.subList(0, length));
      }
      for (int length = lengths[i] + 1; length <= text.size(); length++) {
        tree.add(text.subList(0, length));
      }
    }
    boolean[] read = new boolean[lengths.length];
    for (Decode decode : plan.decodes()) {
      assertThat(decode.size()).isBetween(1, batch);
      assertThat(decode.outputs() + decode.observers()).isLessThanOrEqualTo(TILE);
      for (Run run : decode.runs()) {
        int[] first = texts.get(run.texts().getFirst());
        for (int i : run.texts()) {
          int[] text = texts.get(i);
          assertThat(lengths[i]).isEqualTo(run.from());
          assertThat(Arrays.mismatch(first, 0, run.to(), text, 0, run.to())).isEqualTo(-1);
          lengths[i] = run.from() + run.size();
          read[i] |= run.outputFrom() < text.length && run.outputTo() >= text.length;
        }
        assertThat(run.outputs()).isIn(0, tiled ? TILE : 1);
        if (tiled) {
          assertThat(run.from() % TILE + run.size() % TILE).isZero();
          assertThat(run.outputs() == 0 || run.outputFrom() % TILE == 0).isTrue();
        }
      }
      int observed = decode.observed().size();
      assertThat(decode.observers())
          .isEqualTo(tiled ? Math.ceilDiv(observed, TILE) * TILE : observed);
      for (int i : decode.observed()) {
        // All of it is computed already, or stands before it in the batch.
        assertThat(lengths[i]).isGreaterThanOrEqualTo(texts.get(i).length);
        assertThat(texts.get(i).length).isLessThan(observedBelow);
        assertThat(read[i]).as("read twice").isFalse();
        read[i] = true;
      }
    }
    for (int i = 0; i < lengths.length; i++) {
      int length = texts.get(i).length;
      assertThat(lengths[i]).isEqualTo(tiled ? Math.ceilDiv(length, TILE) * TILE : length);
      assertThat(read[i]).isTrue();
    }
    assertThat(plan.tokensReused()).isEqualTo(reused.size());
    assertThat(plan.tokensAsked()).isEqualTo(texts.stream().mapToLong(text -> text.length).sum());
    if (!tiled) {
      long observed = texts.stream().filter(text -> text.length < observedBelow).count();
      assertThat(plan.tokensComputed()).isEqualTo(tree.size() + observed);
      assertThat(plan.sequences()).isEqualTo(texts.size() + (observed > 0 ? 1 : 0));
    }
  }

  @Property
  void decodesAreEquallyFull(
      @ForAll @IntRange(min = 1, max = 20_000) int length, @ForAll boolean tiled) {
    Planner planner = new Planner(512, 256, 1 << 20, 256, tile(tiled), 0);
    List<Integer> sizes =
        planner.planRewards(List.of(new int[length]), List.of(Source.NOTHING)).decodes().stream()
            .map(Decode::size)
            .toList();
    assertThat(sizes).hasSize(Math.ceilDiv(length, 512));
    assertThat(sizes.stream().mapToInt(size -> size).sum()).isBetween(length, length + TILE - 1);
    int least = sizes.stream().mapToInt(size -> size).min().orElseThrow();
    int most = sizes.stream().mapToInt(size -> size).max().orElseThrow();
    assertThat(most - least).isLessThanOrEqualTo(tile(tiled).tokens());
    assertThat(sizes).allMatch(size -> size % tile(tiled).tokens() == 0);
  }

  @Property
  void aTraceAsksForEveryHiddenState(
      @ForAll @IntRange(min = 1, max = 5000) int length, @ForAll boolean tiled) {
    Planner planner = new Planner(512, 256, 8192, 16, tile(tiled), 0);
    int next = 0;
    for (Decode decode : planner.planTrace(length).decodes()) {
      Run run = decode.runs().getFirst();
      assertThat(decode.runs()).hasSize(1);
      assertThat(run.from()).isEqualTo(next);
      assertThat(run.outputFrom()).isEqualTo(run.from());
      assertThat(run.outputTo()).isEqualTo(run.from() + run.size());
      assertThat(run.size()).isBetween(1, 256);
      next += run.size();
    }
    assertThat(next).isEqualTo(tiled ? Math.ceilDiv(length, TILE) * TILE : length);
  }

  @Property
  void whatFitsTogetherFitsIntoTheCache(
      @ForAll long seed, @ForAll boolean tiled, @ForAll boolean observed) {
    Random random = new Random(seed);
    List<int[]> queue = texts(random, 40, 300);
    Planner planner = new Planner(64, 64, 512, 17, tile(tiled), observed ? 200 : 0);
    int count = planner.fitting(queue);
    assertThat(count).isBetween(1, 8);
    List<int[]> wave = queue.subList(0, count);
    Plan plan = planner.planRewards(wave, cached(wave, List.of()));
    assertThat(plan.tokensComputed()).isLessThanOrEqualTo(512).isEqualTo(planner.cells(wave));
    if (count < 8 && count < queue.size()) {
      // One more would be too much. Where it begins like none before it, more than one decode is.
      List<int[]> larger = queue.subList(0, count + 1);
      Plan more = planner.planRewards(larger, cached(larger, List.of()));
      int common = Prefix.common(queue.get(count - 1), queue.get(count));
      int limit = common < TILE + 1 ? 64 : 512;
      assertThat(more.tokensComputed()).isGreaterThan(limit);
    }
  }

  @Example
  void bestOfEightByHand() {
    List<int[]> texts = new ArrayList<>();
    long asked = 0;
    for (int i = 0; i < 8; i++) {
      int[] text = new int[200 + 100 + 10 * i];
      Arrays.fill(text, 200, text.length, i + 1);
      texts.add(text);
      asked += text.length;
    }
    texts.add(texts.getFirst());
    Plan plan = Forecast.of(new Planner(512, 256, 4096, 256, Tile.NONE, 0), texts);
    assertThat(plan.tokensAsked()).isEqualTo(asked + 300);
    assertThat(plan.tokensComputed()).isEqualTo(asked - 7 * 200);
    assertThat(plan.decodes().getFirst().runs().getFirst().texts()).hasSize(8);
    assertThat(plan.decodes().stream().map(Decode::size)).containsExactly(427, 427, 426);
    // A cache of 512: the prompt is computed once all the same.
    Plan waves = Forecast.of(new Planner(512, 256, 512, 256, Tile.NONE, 0), texts);
    assertThat(waves.tokensComputed()).isEqualTo(asked - 7 * 200);
    assertThat(waves.tokensReused()).isEqualTo(4 * 200);
    // In tiles: 192 tokens are shared, the other 8 belong to each.
    Plan tiles = Forecast.of(new Planner(512, 256, 4096, 256, Tile.GGML, 0), texts);
    assertThat(tiles.tokensComputed()).isEqualTo(192 + 3 * 128 + 5 * 192);
    assertThat(tiles.fillers()).isEqualTo(tiles.tokensComputed() - (asked - 7 * 200) - 7 * 8);
    assertThatThrownBy(() -> new Planner(100, 64, 64, 1, Tile.GGML, 0)).hasMessageContaining("100");
  }
}
