package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.OutputFile;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.LlamaCheck;
import dev.murmuration.model.LlamaHyperparameters;
import dev.murmuration.template.NamedFormat;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Converts a checkpoint of Starling's family into a GGUF: {@code
 * Converter.of(folder).type(GgufTensorType.F16).convert(file)}. Immutable: each setter returns a
 * changed copy, which any number of threads may use.
 *
 * <p>The GGUF loads in stock llama.cpp. The value head is in its metadata ({@code
 * reward_model.value_head.weight}, F32); a language-model head is left out.
 */
public final class Converter {
  private static final Set<GgufTensorType> TYPES =
      EnumSet.of(GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.BF16, GgufTensorType.Q8_0);

  private Path checkpoint;
  private GgufTensorType type = GgufTensorType.F16;
  private Path tokenizer;
  private TemplateChoice.Wish template = TemplateChoice.Wish.NONE;
  private int maxLength = 2048;
  private String name;
  private boolean force;
  private ConversionListener progress = (tensor, bytes, totalBytes) -> {};

  private Converter() {}

  /**
   * A converter of a checkpoint.
   *
   * @param checkpoint a folder, or one checkpoint file or index of shards
   */
  public static Converter of(Path checkpoint) {
    Converter converter = new Converter();
    converter.checkpoint = Objects.requireNonNull(checkpoint, "checkpoint");
    return converter;
  }

  private Converter with(Consumer<Converter> change) {
    Converter copy = new Converter();
    copy.checkpoint = checkpoint;
    copy.type = type;
    copy.tokenizer = tokenizer;
    copy.template = template;
    copy.maxLength = maxLength;
    copy.name = name;
    copy.force = force;
    copy.progress = progress;
    change.accept(copy);
    return copy;
  }

  /** The types that matrices can be converted to; vectors are always F32. */
  public static Set<GgufTensorType> types() {
    return EnumSet.copyOf(TYPES);
  }

  /**
   * The type of matrices: F32, F16 (the default), BF16 or Q8_0. With Q8_0 a matrix whose rows are
   * not a multiple of 32 becomes F16.
   */
  public Converter type(GgufTensorType value) {
    if (!TYPES.contains(value)) {
      throw new IllegalArgumentException(
          "type is "
              + value
              + "; conversion is to one of "
              + TYPES
              + ", and Quantizer goes on from there");
    }
    return with(c -> c.type = value);
  }

  /**
   * The folder with {@code tokenizer.model} or {@code tokenizer.json}, or one of these files; the
   * checkpoint's folder by default.
   */
  public Converter tokenizer(Path value) {
    return with(c -> c.tokenizer = Objects.requireNonNull(value, "tokenizer"));
  }

  /**
   * Name of the chat template that the model was trained with. By default the tokenizer's own is
   * taken; {@code llama2} for Starling-RM-7B's layout, and for a vocabulary like Llama 2's that
   * comes without a template.
   */
  public Converter template(String value) {
    if (NamedFormat.of(value).isEmpty()) {
      throw new IllegalArgumentException(
          "no template '" + value + "'; there are " + NamedFormat.names());
    }
    return with(c -> c.template = new TemplateChoice.Wish(value, null, c.template.date()));
  }

  /** Text of the Jinja template that the model was trained with. */
  public Converter templateText(String value) {
    Objects.requireNonNull(value, "templateText");
    return with(c -> c.template = new TemplateChoice.Wish(null, value, c.template.date()));
  }

  /**
   * The day that a Jinja template is told as today. By default the day of the conversion if it asks
   * for one; a day that the template itself has stays.
   */
  public Converter templateDate(LocalDate value) {
    Objects.requireNonNull(value, "templateDate");
    return with(
        c -> c.template = new TemplateChoice.Wish(c.template.name(), c.template.text(), value));
  }

  /** The most tokens of a text that are scored; 2048 by default. */
  public Converter maxLength(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("maxLength is " + value + "; the least is 1");
    }
    return with(c -> c.maxLength = value);
  }

  /** The model's name ({@code general.name}); the name of the checkpoint's folder by default. */
  public Converter name(String value) {
    return with(c -> c.name = Objects.requireNonNull(value, "name"));
  }

  /** Whether an existing output file is replaced; false by default. */
  public Converter force(boolean value) {
    return with(c -> c.force = value);
  }

  /** Called for every tensor that is written. */
  public Converter progress(ConversionListener value) {
    return with(c -> c.progress = Objects.requireNonNull(value, "progress"));
  }

  /**
   * Converts. The file appears under its name when it is complete, checked and synced to the disk.
   * If the conversion fails, its thread is interrupted or the JVM ends, a file that had the name
   * before stays, and no other file is left.
   *
   * @throws BadFileException if the checkpoint or the tokenizer is damaged or not supported, or the
   *     output cannot be written or does not pass its check
   * @throws IOException if reading or writing fails, or the thread is interrupted
   */
  public Conversion convert(Path output) throws IOException {
    Checkpoint opened = Checkpoint.open(checkpoint);
    Decisions decisions = new Decisions();
    StateDict tensors = new StateDict(opened, decisions);
    OutputFile.checkNotAmong(opened.inputs(), output, "the checkpoint itself");
    OutputFile.checkNotAmong(
        Tokenizer.inputs(tokenizerPath(opened)), output, "the tokenizer itself");
    try (Sources sources = new Sources()) {
      Metadata written = metadata(opened, tensors, sources, decisions);
      TensorWriter body = new TensorWriter(tensors.sources(), type, progress);
      return write(output, body, written, opened, sources, decisions);
    }
  }

  /**
   * Checks the checkpoint and the tokenizer as {@link #convert} does, without reading the numbers
   * of the body and without writing anything.
   *
   * @throws BadFileException if the checkpoint or the tokenizer is damaged or not supported
   * @throws IOException if reading fails
   */
  public ConversionPlan plan() throws IOException {
    Checkpoint opened = Checkpoint.open(checkpoint);
    Decisions decisions = new Decisions();
    StateDict tensors = new StateDict(opened, decisions);
    try (Sources sources = new Sources()) {
      Metadata written = metadata(opened, tensors, sources, decisions);
      return new ConversionPlan(
          written.writer().metadata(),
          tensors.sources().stream().mapToLong(source -> source.tensor().elements()).sum(),
          new TensorWriter(tensors.sources(), type, progress).totalBytes(),
          decisions.all(),
          written.examples());
    }
  }

  private record Metadata(GgufWriter writer, List<String> examples) {}

  private Metadata metadata(
      Checkpoint opened, StateDict tensors, Sources sources, Decisions decisions)
      throws IOException {
    Tokenizer vocabulary = Tokenizer.read(tokenizerPath(opened), opened.config(), decisions);
    GgufWriter writer = new GgufWriter();
    ModelMetadata metadata = new ModelMetadata(opened.config(), tensors);
    metadata.writeTo(writer, name == null ? folderName(opened) : name, type);
    vocabulary.writeTo(writer);
    TemplateChoice choice =
        new TemplateChoice(tokenizerFolder(opened), writer, decisions, template);
    List<String> examples = choice.choose(tensors.isStarling());
    metadata.writeHeadTo(writer, sources, choice.name(), maxLength);
    return new Metadata(writer, examples);
  }

  private Conversion write(
      Path output,
      TensorWriter tensors,
      Metadata metadata,
      Checkpoint opened,
      Sources sources,
      Decisions decisions)
      throws IOException {
    try (OutputFile file = OutputFile.begin(output, force, tensors.totalBytes())) {
      tensors.write(metadata.writer(), sources, file);
      LlamaHyperparameters sizes = validate(file.part(), output);
      opened.requireUnchanged();
      long size = file.channel().size();
      file.commit();
      return new Conversion(
          output,
          tensors.count(),
          sizes.parameterCount() + sizes.hiddenSize(),
          tensors.bytesRead(),
          size,
          decisions.all(),
          metadata.examples());
    }
  }

  private static LlamaHyperparameters validate(Path part, Path output) throws IOException {
    try {
      return LlamaCheck.check(GgufReader.read(part));
    } catch (BadFileException e) {
      String problem = e.getMessage().replace(part + ": ", "");
      throw new BadFileException(output, "would not load: " + problem, e);
    }
  }

  private Path tokenizerPath(Checkpoint opened) {
    return tokenizer == null ? opened.folder() : tokenizer;
  }

  private Path tokenizerFolder(Checkpoint opened) throws IOException {
    Path path = tokenizerPath(opened);
    return Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
  }

  private static String folderName(Checkpoint opened) {
    Path folder = opened.folder().normalize().getFileName();
    return folder == null ? "model" : folder.toString();
  }
}
