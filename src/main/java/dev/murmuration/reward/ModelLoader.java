package dev.murmuration.reward;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelFile;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.llama.ResourceCache;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * From a file and options to a model that is ready to score. Everything is checked in Java, file,
 * head, options and memory, before llama.cpp sees any of it.
 */
final class ModelLoader {
  /** What is known about a loaded model. {@code timeout} is null when there is none. */
  record Settings(
      String name,
      ChatTemplate template,
      Precision precision,
      int contextLength,
      boolean truncate,
      Duration timeout,
      LlamaHyperparameters hyperparameters,
      Path file,
      int threads) {}

  /** A model and its engine; the engine is closed first. */
  record Loaded(LlamaModel model, Engine engine, Planner planner, Settings settings) {}

  private ModelLoader() {}

  static Loaded load(Path gguf, Options options) throws IOException {
    return load(gguf, options, fileName(gguf));
  }

  static Loaded loadEmbedded(Options options) throws IOException {
    return load(embeddedFile(), options, "fledgling");
  }

  private static Path embeddedFile() throws IOException {
    Llama.ensureLoaded();
    String file = "fledgling-q8_0.gguf";
    String[] hashAndSize;
    try (InputStream in = ModelLoader.class.getResourceAsStream(file + ".sha256")) {
      hashAndSize = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip().split(" ");
    }
    var entry = new ResourceCache.Entry(file, Long.parseLong(hashAndSize[1]), hashAndSize[0]);
    String folder = "/" + ModelLoader.class.getPackageName().replace('.', '/') + "/";
    String key = "fledgling-" + hashAndSize[0].substring(0, 24);
    return ResourceCache.extract(ModelLoader.class, folder, key, List.of(entry)).resolve(file);
  }

  private static String fileName(Path file) {
    Path name = file.getFileName();
    return name == null ? file.toString() : name.toString();
  }

  private static Loaded load(Path path, Options options, String name) throws IOException {
    Gguf.requireFile(path);
    try (ModelFile file = ModelFile.open(path)) {
      return load(file, options, name);
    }
  }

  private static Loaded load(ModelFile file, Options options, String name) throws IOException {
    Gguf gguf = Gguf.read(file.path(), file);
    LlamaHyperparameters shape = LlamaHyperparameters.validate(gguf);
    ValueHead head =
        options.valueHead().isPresent()
            ? ValueHead.ofSafetensors(options.valueHead().get(), shape.hiddenSize())
            : ValueHead.of(gguf, shape.hiddenSize());
    ChatTemplate template = template(gguf, options);
    int contextLength = contextLength(gguf, options, shape);
    Weights weights = Weights.of(gguf, shape, options);
    boolean exact = options.precision() == Precision.EXACT;
    ContextSizes sizes = ContextSizes.here(shape, weights, options);
    ContextSizes.Choice largest = sizes.choose(contextLength);
    if (largest.need().refusal() != null) {
      throw new IllegalArgumentException(largest.need().refusal());
    }
    ContextParameters context = largest.context();
    Settings settings =
        new Settings(
            name,
            template,
            options.precision(),
            contextLength,
            options.truncate(),
            options.timeout().orElse(null),
            shape,
            file.path(),
            context.threads());

    LlamaModel model =
        LlamaModel.load(
            file,
            new ModelParameters(
                options.gpuLayers(), options.device().orElse(null), options.memoryMap()),
            options.progress().orElse(null));
    try {
      Planner planner =
          new Planner(
              context.microBatchSize(),
              context.maxOutputs(),
              context.cells(),
              context.maxSequences(),
              exact && !weights.ours() ? Planner.Grain.GGML : Planner.Grain.NONE);
      boolean repeatable = exact || weights.ours();
      long staleCells = Scorer.staleCells(shape, weights.ours(), options);
      Supplier<GrowingContext> newContext =
          () ->
              new GrowingContext(model, sizes, context.cells(), FreeMemory::bytes, options.probe());
      Engine engine = new Engine(newContext, head, planner, options, repeatable, staleCells);
      return new Loaded(model, engine, planner, settings);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private static ChatTemplate template(Gguf gguf, Options options) throws IOException {
    String readout = gguf.string("reward_model.readout").orElse("last_token");
    if (!readout.equals("last_token")) {
      throw new IOException(
          gguf.path()
              + ": reward_model.readout is '"
              + readout
              + "'; only last_token is supported");
    }
    if (options.template().isPresent()) {
      return options.template().get();
    }
    String named = gguf.string("reward_model.template").orElse(ChatTemplate.LLAMA2.name());
    try {
      return ChatTemplate.of(named);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          gguf.path()
              + ": reward_model.template: "
              + e.getMessage()
              + "; choose one with --template",
          e);
    }
  }

  static int contextLength(Gguf gguf, Options options, LlamaHyperparameters shape)
      throws IOException {
    long trained = shape.contextLength();
    long named = gguf.unsignedInt("reward_model.max_length").orElse(Math.min(2048L, trained));
    long length = options.contextLength() == 0 ? named : options.contextLength();
    if (length < 2 || length > trained) {
      throw new IllegalArgumentException(
          (options.contextLength() == 0
                  ? gguf.path() + ": reward_model.max_length"
                  : "the context (--ctx-size)")
              + " is "
              + length
              + " tokens; this model takes 2 to "
              + trained);
    }
    return (int) length;
  }
}
