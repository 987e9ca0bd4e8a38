package dev.murmuration.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class CachedTextsTest {
  @Test
  void theLeastRecentlyUsedGoesFirstAndUseIsAPutOrAReward() {
    CachedTexts cache = new CachedTexts(4);
    int[] first = {1, 2, 3, 4};
    int[] second = {1, 2, 5};
    int[] third = {1, 9};
    int a = cache.take();
    int b = cache.take();
    int c = cache.take();
    cache.put(a, first, 0.5);
    cache.put(b, second, Double.NaN);
    cache.put(c, third, -1);
    assertThat(cache.freeSequences()).isEqualTo(1);

    Plan.Source match = cache.longest(new int[] {1, 2, 3, 7});
    assertThat(match.length()).isEqualTo(3);
    assertThat(match.sequence()).isEqualTo(a);
    assertThat(cache.longest(new int[] {8}).length()).isZero();
    assertThat(cache.reward(first)).hasValue(0.5);
    assertThat(cache.reward(second)).as("not known").isEmpty();
    assertThat(cache.reward(new int[] {1, 2, 3})).as("another text").isEmpty();

    // first was used by its reward, a look for a beginning is no use.
    assertThat(cache.longest(second)).isEqualTo(new Plan.Source(b, 3));
    assertThat(cache.longest(second, sequence -> sequence == b ? 1 : 4).sequence()).isEqualTo(a);
    assertThat(cache.oldest(_ -> true)).hasValue(b);
    cache.put(b, second, 2);
    assertThat(cache.oldest(_ -> true)).hasValue(c);
    assertThat(cache.oldest(sequence -> sequence != c)).hasValue(a);
    assertThat(cache.oldest(_ -> false)).isEmpty();
    cache.giveBack(b);
    cache.giveBack(c);
    assertThat(cache.freeSequences()).isEqualTo(3);
    cache.shorten(a, 2);
    assertThat(cache.longest(first)).isEqualTo(new Plan.Source(a, 2));
    assertThat(cache.reward(first)).as("of more than is left").isEmpty();
    assertThat(cache.reward(new int[] {1, 2})).as("not known").isEmpty();
    cache.clear();
    assertThat(cache.freeSequences()).isEqualTo(4);
    assertThat(cache.longest(first).length()).isZero();
  }
}
