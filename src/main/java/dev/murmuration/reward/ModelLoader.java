package dev.murmuration.reward;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.engine.Engine;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.llama.OpenModelFile;
import dev.murmuration.llama.loading.ResourceCache;
import dev.murmuration.llama.loading.StoredFile;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.memory.ContextSizes;
import dev.murmuration.memory.LargestContext;
import dev.murmuration.memory.MemoryPolicy;
import dev.murmuration.memory.WeightMemory;
import dev.murmuration.model.HeadTensors;
import dev.murmuration.model.ModelFile;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.ValueHead;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Loads a model from a file and options, ready to score. File, head, options and memory are all
 * checked in Java before llama.cpp gets any of them.
 */
final class ModelLoader {
  /** The embedded model as a file, for packages, so that it need not be extracted. */
  private static final String EMBEDDED_PROPERTY = "murmuration.embedded.model";

  private ModelLoader() {}

  static LoadedModel load(Path gguf, RewardModelOptions options) throws IOException {
    return load(gguf, options, fileName(gguf));
  }

  static LoadedModel loadEmbedded(RewardModelOptions options) throws IOException {
    return load(embeddedFile(), options, "fledgling");
  }

  private static Path embeddedFile() throws IOException {
    String named = System.getProperty(EMBEDDED_PROPERTY);
    if (named != null && !named.isBlank()) {
      return Path.of(named);
    }
    Llama.ensureLoaded();
    String file = "fledgling-q8_0.gguf";
    String[] hashAndSize;
    try (InputStream in = ModelLoader.class.getResourceAsStream(file + ".sha256")) {
      hashAndSize = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip().split(" ");
    }
    var entry = new StoredFile(file, Long.parseLong(hashAndSize[1]), hashAndSize[0]);
    String key = "fledgling-" + hashAndSize[0].substring(0, 24);
    return ResourceCache.extract(
            name -> ModelLoader.class.getResourceAsStream(name), key, List.of(entry))
        .resolve(file);
  }

  private static String fileName(Path file) {
    Path name = file.getFileName();
    return name == null ? file.toString() : name.toString();
  }

  private static LoadedModel load(Path path, RewardModelOptions options, String name)
      throws IOException {
    GgufReader.requireFile(path);
    try (OpenModelFile file = OpenModelFile.open(path)) {
      return load(file, options, name);
    }
  }

  private static LoadedModel load(OpenModelFile file, RewardModelOptions options, String name)
      throws IOException {
    ModelFile checked =
        ModelFile.of(GgufReader.read(file.path(), file), file, options.values().headWish);
    ModelShape shape = checked.shape();
    ValueHead head =
        options.valueHead().isPresent()
            ? HeadTensors.ofSafetensors(
                options.valueHead().get(), shape.hiddenSize(), options.values().headWish)
            : checked.requireHead();
    ChatTemplate template = TemplateOfFile.choose(checked, options.template());
    ContextRequest request = options.values().context;
    int contextLength = checked.contextLength(request.contextLength());
    ReadoutRule readout = readout(checked, options, contextLength);
    WeightMemory weights = WeightMemory.of(checked.gguf(), shape, request);
    ContextSizes sizes = ContextSizes.here(shape, request, weights);
    LargestContext largest =
        LargestContext.here(sizes, weights, longest(contextLength, readout, weights));
    if (largest.need().refusal() != null) {
      throw new IllegalArgumentException(largest.need().refusal());
    }
    ContextParameters context = largest.context();
    LoadedModel.Settings settings =
        new LoadedModel.Settings(
            name,
            template,
            readout,
            options.precision(),
            contextLength,
            options.truncate(),
            options.literal(),
            checked.rules(),
            options.values().timeout,
            file.path(),
            context.threads(),
            context.microBatchSize(),
            ModelSize.of(checked));
    Engine.Settings computing =
        new Engine.Settings(
            request.exact(),
            weights.ours(),
            options.reuse(),
            options.queueCapacity(),
            options.values().probe);
    return start(
        LlamaModel.load(file, parameters(request), options.values().progress),
        model -> new Engine(model, shape, head, readout, sizes, context, computing),
        settings);
  }

  private static ModelParameters parameters(ContextRequest request) {
    return new ModelParameters(
        request.gpuLayers(), request.device(), request.memoryMap(), request.exact());
  }

  private static LoadedModel start(
      LlamaModel model, Function<LlamaModel, Engine> newEngine, LoadedModel.Settings settings) {
    Engine engine = null;
    try {
      engine = newEngine.apply(model);
      return new LoadedModel(model, engine, settings);
    } catch (RuntimeException | Error e) {
      if (engine != null) {
        engine.close();
      }
      model.close();
      throw e;
    }
  }

  /**
   * Tokens that the cache must hold for one text. The observer of the read-out {@code published}
   * stands behind it, in a tile of its own unless our kernels compute.
   */
  private static int longest(int contextLength, ReadoutRule readout, WeightMemory weights) {
    return readout instanceof ReadoutRule.Published && !weights.ours()
        ? Math.max(contextLength, ReadoutRule.Published.LENGTH + MemoryPolicy.TILE)
        : contextLength;
  }

  private static ReadoutRule readout(ModelFile file, RewardModelOptions options, int contextLength)
      throws BadFileException {
    ReadoutRule rule =
        options.readout().isPresent()
            ? file.readout(options.readout().get().label())
            : file.readout();
    if (rule instanceof ReadoutRule.Published && contextLength < ReadoutRule.Published.LENGTH) {
      throw new IllegalArgumentException(
          "contextLength is "
              + contextLength
              + " tokens; the read-out published pads texts to "
              + ReadoutRule.Published.LENGTH
              + ": allow as many, or choose readout(LAST_TOKEN)");
    }
    return rule;
  }
}
