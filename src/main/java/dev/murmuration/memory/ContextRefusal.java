package dev.murmuration.memory;

import dev.murmuration.llama.ContextParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Why a context is refused, and which single changes of the request would make it fit.
 *
 * @param need what does not fit
 */
record ContextRefusal(ContextFit fit, MemoryNeed need) {
  /** The refusal in words, with the names of setters for the changes. */
  String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        need.devices().stream()
            .filter(device -> !device.fits())
            .findFirst()
            .map(ContextRefusal::ofDevice)
            .orElseGet(this::ofMainMemory));
    List<String> remedies = remedies();
    text.append(
        remedies.isEmpty()
            ? "no context fits: free some memory, or take a smaller model"
            : "what fits: " + String.join(", or ", remedies));
    return text.toString();
  }

  private static String ofDevice(DeviceNeed device) {
    return device.layers()
        + (device.layers() == 1 ? " layer on " : " layers on ")
        + device.device()
        + (device.layers() == 1 ? " needs " : " need ")
        + mebibytes(device.total())
        + " MiB there (weights "
        + mebibytes(device.weights())
        + ", key/value cache "
        + mebibytes(device.cache())
        + ", buffers "
        + mebibytes(device.buffers())
        + "), and "
        + mebibytes(device.free())
        + " MiB are free; ";
  }

  private String ofMainMemory() {
    WeightMemory weights = fit.weights();
    StringBuilder text = new StringBuilder();
    text.append("a context of ").append(need.contextLength()).append(" tokens needs ");
    text.append(mebibytes(fit.claimed(need))).append(" MiB (");
    if (!weights.mapped()) {
      text.append("weights ").append(mebibytes(weights.stored())).append(", ");
    } else if (weights.repacked() > 0) {
      text.append("repacked weights ").append(mebibytes(weights.repacked())).append(", ");
    }
    text.append("key/value cache of ").append(need.cells()).append(" cells ");
    text.append(mebibytes(need.cache()));
    text.append(", buffers ").append(mebibytes(need.buffers())).append("), and ");
    text.append(mebibytes(fit.available())).append(" MiB are free; ");
    return text.toString();
  }

  private List<String> remedies() {
    ContextRequest request = request();
    List<String> remedies = new ArrayList<>();
    otherLayers().ifPresent(layers -> remedies.add("gpuLayers(" + layers + ")"));
    fewerCells().ifPresent(cells -> remedies.add("cells(" + cells + ")"));
    shorterTexts().ifPresent(length -> remedies.add("contextLength(" + length + ")"));
    if (request.exact() && fits(request.exact(false))) {
      remedies.add("precision(FAST)");
    }
    smallerMicroBatch().ifPresent(micro -> remedies.add("microBatchSize(" + micro + ")"));
    if (!request.memoryMap() && fits(request.memoryMap(true))) {
      remedies.add("memoryMap(true)");
    }
    return remedies;
  }

  /** The most layers on the devices, the output counting as one, that fit there and here. */
  private OptionalInt otherLayers() {
    Placement placement = fit.weights().placement();
    if (!placement.usesDevices()) {
      return OptionalInt.empty();
    }
    int most = placement.all();
    int asked = request().gpuLayers();
    return IntStream.iterate(most, layers -> layers >= 0, layers -> layers - 1)
        .filter(layers -> layers != asked)
        .filter(layers -> fits(request().gpuLayers(layers)))
        .findFirst();
  }

  /** Of a number of cells that is asked for. */
  private OptionalInt fewerCells() {
    return request().cells() == 0 || !fits(request().cells(0))
        ? OptionalInt.empty()
        : largest(
            need.cells(),
            cells -> cells - ContextParameters.CELL_GROUP,
            cells -> fits(request().cells(cells)));
  }

  /** Where the number of cells follows from it. */
  private OptionalInt shorterTexts() {
    int group = ContextParameters.CELL_GROUP;
    return request().cells() != 0
        ? OptionalInt.empty()
        : largest((need.contextLength() - 1) / group * group, length -> length - group, fit::fits);
  }

  private OptionalInt smallerMicroBatch() {
    int asked = Math.min(request().microBatchSize(), need.contextLength());
    return largest(
        half(ContextSizes.tiles(asked)),
        ContextRefusal::half,
        micro -> fits(request().microBatchSize(micro)));
  }

  private static int half(int tokens) {
    return tokens / 2 / MemoryPolicy.TILE * MemoryPolicy.TILE;
  }

  /** The first number on the way down that fits; empty if the way ends at 0. */
  private static OptionalInt largest(int start, IntUnaryOperator next, IntPredicate fits) {
    int value = start;
    while (value > 0 && !fits.test(value)) {
      value = next.applyAsInt(value);
    }
    return value > 0 ? OptionalInt.of(value) : OptionalInt.empty();
  }

  private boolean fits(ContextRequest changed) {
    return fit.with(changed).fits(need.contextLength());
  }

  private ContextRequest request() {
    return fit.sizes().request();
  }

  private static long mebibytes(long bytes) {
    return Math.ceilDiv(bytes, 1L << 20);
  }
}
