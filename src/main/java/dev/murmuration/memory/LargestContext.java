package dev.murmuration.memory;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.machine.FreeMemory;
import dev.murmuration.model.ModelFile;

/**
 * The context that a model's own may grow to, and what it takes with the weights.
 *
 * @param need has a refusal if that is more than there is
 */
public record LargestContext(ContextParameters context, MemoryNeed need) {
  /**
   * With the memory that is free on this machine.
   *
   * @param longest tokens of the longest text
   * @throws IllegalArgumentException if the cells asked for are fewer than that, or more than there
   *     can be
   */
  public static LargestContext here(ContextSizes sizes, WeightMemory weights, int longest) {
    return within(FreeMemory.bytes(), sizes, weights, longest);
  }

  /** The same for so much free memory, in bytes. */
  static LargestContext within(
      long available, ContextSizes sizes, WeightMemory weights, int longest) {
    ContextFit fit = new ContextFit(sizes, weights, available);
    int cells = fit.cells(longest);
    MemoryNeed need = fit.need(longest, cells);
    return new LargestContext(
        sizes.context(cells),
        fit.fits(need) ? need : need.refused(new ContextRefusal(fit, need).text()));
  }

  /**
   * What loading a model would take with the memory that is free now.
   *
   * @throws IllegalArgumentException if the context is longer than the model takes
   */
  public static MemoryNeed need(ModelFile file, ContextRequest request) {
    int length = file.contextLength(request.contextLength());
    WeightMemory weights = WeightMemory.of(file.gguf(), file.shape(), request);
    return need(file.shape(), weights, length, request);
  }

  /** The same where there is no file yet, for a conversion to float16. */
  public static MemoryNeed need(ModelShape model, int contextLength, ContextRequest request) {
    return need(model, WeightMemory.of(model, request), contextLength, request);
  }

  private static MemoryNeed need(
      ModelShape model, WeightMemory weights, int contextLength, ContextRequest request) {
    ContextSizes sizes = ContextSizes.here(model, request, weights);
    return here(sizes, weights, contextLength).need();
  }
}
