package dev.murmuration.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.model.ReadoutRule.BeforeFirstPad;
import dev.murmuration.model.ReadoutRule.BeforePad;
import dev.murmuration.model.ReadoutRule.LastToken;
import dev.murmuration.model.ReadoutRule.Published;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Each rule against the published class's own lines, on texts that are full of padding tokens. */
@Tag("unit")
class ReadoutRuleTest {
  /** {@code (token_indices * non_pad_mask).argmax(-1)}; torch takes the first of equal ones. */
  private static int transformers(int[] ids, int pad) {
    int[] products = IntStream.range(0, ids.length).map(i -> ids[i] == pad ? 0 : i).toArray();
    int best = 0;
    for (int i = 0; i < products.length; i++) {
      best = products[i] > products[best] ? i : best;
    }
    return best;
  }

  /** {@code (torch.eq(input_ids, pad).int().argmax(-1) - 1) % input_ids.shape[-1]} */
  private static int qwenMath(int[] ids, int pad) {
    int[] equal = Arrays.stream(ids).map(id -> id == pad ? 1 : 0).toArray();
    int best = 0;
    for (int i = 0; i < equal.length; i++) {
      best = equal[i] > equal[best] ? i : best;
    }
    return Math.floorMod(best - 1, ids.length);
  }

  /** {@code c_inds[0] if len(c_inds) > 0 else shape[1]}, then {@code rewards[i, c_ind - 1]}. */
  private static int starling34B(int[] ids, int pad) {
    int first = Arrays.stream(ids).boxed().toList().indexOf(pad);
    int index = first < 0 ? ids.length : first;
    return index == 0 ? ids.length - 1 : index - 1;
  }

  @Property
  void beforePadIsTransformers(
      @ForAll @Size(min = 1, max = 30) List<@IntRange(max = 2) Integer> text,
      @ForAll @IntRange(max = 3) int pad) {
    int[] ids = text.stream().mapToInt(id -> id).toArray();
    assertReads(new BeforePad(pad), ids, transformers(ids, pad));
    assertReads(new BeforeFirstPad(pad), ids, qwenMath(ids, pad));
    assertReads(new BeforeFirstPad(pad), ids, starling34B(ids, pad));
    assertReads(new LastToken(), ids, ids.length - 1);
  }

  private static void assertReads(ReadoutRule rule, int[] ids, int position) {
    assertThat(rule.position(ids)).isEqualTo(position);
    assertThat(rule.tokenId(ids)).isEqualTo(ids[position]);
    assertThat(rule.computed(ids)).containsExactly(Arrays.copyOf(ids, position + 1));
  }

  @Example
  void publishedReadsBehindATextThatIsShortEnough() {
    Published rule = new Published(7);
    for (int length : new int[] {1, 2, 2047, 2048, 2049, 3000}) {
      int[] ids = IntStream.range(0, length).toArray();
      assertThat(rule.position(ids)).isEqualTo(Math.max(2047, length - 1));
      assertThat(rule.tokenId(ids)).isEqualTo(length < 2048 ? 7 : length - 1);
      assertThat(rule.computed(ids)).isSameAs(ids);
    }
  }

  @Example
  void namesAreKnown() {
    assertThat(ReadoutRule.requireName("before_pad")).isEqualTo("before_pad");
    assertThatThrownBy(() -> ReadoutRule.requireName("mean"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "no read-out 'mean'; there are last_token, before_pad, before_first_pad, published");
  }
}
