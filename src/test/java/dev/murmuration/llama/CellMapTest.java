package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.llama.ContextParameters.Readout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;

/**
 * The map of cells against the real cache. Where the map says that a sequence lies in cells in
 * order, its hidden states are those of a context that has computed nothing else, to the bit. A
 * wrong map says so of sequences that llama.cpp has put into other cells; their attention is added
 * up in another order then, to other bits.
 */
@Tag("native")
class CellMapTest {
  private static final int SEQUENCES = 5;
  private static final int BATCH = 64;
  private static final int STEPS = 60;
  private static final int OBSERVER = 500;

  private static ContextParameters parameters(
      int sequences, int batch, int microBatch, boolean half) {
    return new ContextParameters(
        256, batch, microBatch, sequences, batch, 1, half, true, Readout.PRUNED);
  }

  @Property(tries = 40)
  void whatIsSaidToBeInOrderHasTheBitsOfAFreshContext(@ForAll long seed, @ForAll boolean half) {
    Random random = new Random(seed);
    int microBatch = 4 + random.nextInt(BATCH - 4);
    try (LlamaModel model = LlamaModel.load(TestModels.TINY, ModelParameters.DEFAULT, null);
        LlamaContext context =
            new LlamaContext(model, parameters(SEQUENCES + 1, BATCH, microBatch, half));
        LlamaContext fresh = new LlamaContext(model, parameters(2, 256, 256, half))) {
      Walk walk = new Walk(random, context, fresh, microBatch);
      for (int step = 0; step < STEPS; step++) {
        walk.step();
      }
      walk.clear();
      walk.add();
      walk.decode();
      for (int i = 0; i < SEQUENCES; i++) {
        assertThat(context.inOrder(i))
            .as("an empty cache fills in order")
            .isEqualTo(context.length(i));
      }
      assertThat(walk.compared).as("hidden states compared").isPositive();
    }
  }

  /** Random calls, and what they must have done. */
  private static final class Walk {
    private final Random random;
    private final LlamaContext context;
    private final LlamaContext fresh;

    /** The tokens of each sequence. */
    private final List<List<Integer>> texts = new ArrayList<>();

    /** The sequences of each token in the batch. */
    private final List<int[]> added = new ArrayList<>();

    /** What observers behind these tokens see: a sequence and how much of it. */
    private final List<int[]> observed = new ArrayList<>();

    private final int microBatch;
    private int compared;

    Walk(Random random, LlamaContext context, LlamaContext fresh, int microBatch) {
      this.random = random;
      this.context = context;
      this.fresh = fresh;
      this.microBatch = microBatch;
      IntStream.range(0, SEQUENCES).forEach(_ -> texts.add(new ArrayList<>()));
    }

    void step() {
      switch (random.nextInt(20)) {
        case 0 -> clear();
        case 1, 2, 3 -> share();
        case 4, 5, 6, 7, 8 -> trim();
        default -> {
          for (int runs = random.nextInt(3); runs >= 0; runs--) {
            add();
          }
          for (int observers = random.nextInt(3); observers > 0; observers--) {
            observe();
          }
          decode();
        }
      }
    }

    void clear() {
      context.clear();
      texts.forEach(List::clear);
    }

    /** Some tokens, as far as there is room, for one sequence and some of those with its text. */
    void add() {
      int one = random.nextInt(SEQUENCES);
      int[] sequences =
          IntStream.range(0, SEQUENCES)
              .filter(i -> i == one || (isLike(i, one) && random.nextBoolean()))
              .toArray();
      int room = Math.min(BATCH, context.freeCells()) - added.size();
      for (int i = Math.min(room, 1 + random.nextInt(30)); i > 0; i--) {
        int token = 3 + random.nextInt(300);
        context.add(token, true, sequences);
        IntStream.of(sequences).forEach(sequence -> texts.get(sequence).add(token));
        added.add(sequences);
      }
    }

    /** Perhaps an observer of a text; it lies in the cache until the batch is computed. */
    private void observe() {
      int sequence = random.nextInt(SEQUENCES);
      int length = texts.get(sequence).size();
      if (length > 0
          && added.size() + observed.size() < Math.min(microBatch, context.freeCells())) {
        int seen = 1 + random.nextInt(length);
        context.addObserver(0, OBSERVER, sequence, seen, SEQUENCES);
        observed.add(new int[] {sequence, seen});
      }
    }

    private boolean isLike(int sequence, int other) {
      List<Integer> text = texts.get(other);
      return texts.get(sequence).equals(text)
          && (added.isEmpty() || text.isEmpty())
          && context.inOrder(sequence) == text.size()
          && context.inOrder(other) == text.size();
    }

    /** Computes the batch; compares the last hidden state of each sequence that is in order. */
    void decode() {
      int[] before = new int[SEQUENCES];
      int[] row = new int[SEQUENCES];
      for (int i = 0; i < added.size(); i++) {
        for (int sequence : added.get(i)) {
          before[sequence]++;
          row[sequence] = i;
        }
      }
      int observers = added.size();
      added.clear();
      int[] wasInOrder = IntStream.range(0, SEQUENCES).map(context::inOrder).toArray();
      float[] rows = context.decode();
      for (int i = 0; i < SEQUENCES; i++) {
        int length = texts.get(i).size();
        boolean inOrder = context.inOrder(i) == length;
        if (wasInOrder[i] == length - before[i]) {
          assertThat(inOrder || before[i] == 0).as("what is continued in order stays so").isTrue();
        }
        if (before[i] > 0 && inOrder) {
          compare(i, length, false, Arrays.copyOfRange(rows, 64 * row[i], 64 * (row[i] + 1)));
        }
      }
      for (int i = 0; i < observed.size(); i++) {
        int sequence = observed.get(i)[0];
        int seen = observed.get(i)[1];
        if (seen <= context.inOrder(sequence)) {
          int at = 64 * (observers + i);
          compare(sequence, seen, true, Arrays.copyOfRange(rows, at, at + 64));
        }
      }
      observed.clear();
    }

    private void compare(int sequence, int length, boolean observer, float[] actual) {
      List<Integer> text = texts.get(sequence);
      fresh.clear();
      for (int i = 0; i < length; i++) {
        fresh.add(text.get(i), !observer && i == length - 1, 0);
      }
      if (observer) {
        fresh.addObserver(0, OBSERVER, 0, length, 1);
      }
      float[] expected = fresh.decode();
      if (Llama.kernels().isEmpty()) {
        // ggml's kernels compute a row to other bits beside other rows, wherever its cells are.
        assertThat(actual).as("sequence " + sequence).containsExactly(expected, within(0.05f));
      } else {
        assertThat(actual).as("sequence " + sequence).containsExactly(expected);
      }
      compared++;
    }

    void share() {
      int from = random.nextInt(SEQUENCES);
      int to = random.nextInt(SEQUENCES);
      if (from != to && !texts.get(from).isEmpty() && texts.get(to).isEmpty()) {
        int length = 1 + random.nextInt(texts.get(from).size());
        context.share(from, to, length);
        texts.get(to).addAll(texts.get(from).subList(0, length));
      }
    }

    /** Often all of it. */
    void trim() {
      int sequence = random.nextInt(SEQUENCES);
      List<Integer> text = texts.get(sequence);
      int length = random.nextBoolean() ? 0 : random.nextInt(text.size() + 1);
      int before = context.freeCells();
      boolean frees = context.firstOwnCell(sequence, length) < 256;
      context.trim(sequence, length);
      assertThat(context.freeCells() > before).isEqualTo(frees);
      text.subList(length, text.size()).clear();
    }
  }
}
