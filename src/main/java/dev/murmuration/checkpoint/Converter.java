package dev.murmuration.checkpoint;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.files.OutputFile;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.HeadFile;
import dev.murmuration.model.HeadMetadata;
import dev.murmuration.model.HeadWish;
import dev.murmuration.model.ModelCheck;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import dev.murmuration.model.ValueHead;
import dev.murmuration.template.NamedFormat;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Converts a checkpoint of a reward model into a GGUF: {@code
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
  private SpacePrefix spacePrefix;
  private TemplateChoice.Wish template = TemplateChoice.Wish.NONE;
  private int maxLength;
  private String readout;
  private String name;
  private boolean force;
  private Optional<Path> base = Optional.empty();
  private HeadWish headWish = HeadWish.NONE;
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
    copy.spacePrefix = spacePrefix;
    copy.template = template;
    copy.maxLength = maxLength;
    copy.readout = readout;
    copy.name = name;
    copy.force = force;
    copy.base = base;
    copy.headWish = headWish;
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
   * Where blanks are put before pieces of a text that SentencePiece tokenizes; by default what the
   * tokenizer's files say, of which {@code tokenizer.json} goes before {@code tokenizer.model}.
   */
  public Converter spacePrefix(SpacePrefix value) {
    return with(c -> c.spacePrefix = Objects.requireNonNull(value, "spacePrefix"));
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

  /**
   * The most tokens of a text that are scored; by default what {@code tokenizer_config.json} says
   * if that is 8192 or less, else 2048; for Starling-RM always 2048.
   */
  public Converter maxLength(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("maxLength is " + value + "; the least is 1");
    }
    return with(c -> c.maxLength = value);
  }

  /**
   * Name of the read-out that the file asks for; by default what the published code of the model
   * does.
   *
   * @throws IllegalArgumentException if there is none of this name; {@link #convert} throws it if
   *     the read-out does not fit the model
   */
  public Converter readout(String value) {
    return with(c -> c.readout = ReadoutRule.requireName(value));
  }

  /** The model's name ({@code general.name}); the name of the checkpoint's folder by default. */
  public Converter name(String value) {
    return with(c -> c.name = Objects.requireNonNull(value, "name"));
  }

  /**
   * The base model of a LoRA adapter, which is merged into it: a folder, a checkpoint file or an
   * index. For a checkpoint that is an adapter alone.
   */
  public Converter base(Path value) {
    return with(c -> c.base = Optional.of(value));
  }

  /**
   * The name of the value head's weights, for a head of an unusual name; or what the names of the
   * layers of a network begin with.
   */
  public Converter headTensor(String value) {
    return with(c -> c.headWish = headWish.tensor(value));
  }

  /**
   * Which row of the head's weights is the reward, for a classifier of several outputs; counted
   * from 0.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public Converter headRow(int value) {
    return with(c -> c.headWish = headWish.row(value));
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
    Checkpoint opened = Checkpoint.open(checkpoint, base);
    Decisions decisions = new Decisions();
    StateDict tensors = new StateDict(opened, headWish, decisions);
    OutputFile.checkNotAmong(opened.inputs(), output, "the checkpoint itself");
    OutputFile.checkNotAmong(
        TokenizerFiles.inputs(tokenizerPath(opened)), output, "the tokenizer itself");
    try (Sources sources = sources(opened)) {
      ValueHead head = tensors.head().read(sources::floats);
      Metadata written = metadata(opened, tensors, head, decisions);
      TensorWriter body = writer(opened, tensors);
      return write(output, body, written, opened, head, sources, decisions);
    }
  }

  private static Sources sources(Checkpoint opened) {
    List<CheckpointTensor> all = new ArrayList<>(opened.tensors());
    all.addAll(opened.headTensors());
    opened.adapter().ifPresent(adapter -> all.addAll(adapter.factors()));
    return new Sources(all);
  }

  /**
   * Checks the checkpoint and the tokenizer as {@link #convert} does, without reading the numbers
   * of the body and without writing anything.
   *
   * @throws BadFileException if the checkpoint or the tokenizer is damaged or not supported
   * @throws IOException if reading fails
   */
  public ConversionPlan plan() throws IOException {
    Checkpoint opened = Checkpoint.open(checkpoint, base);
    Decisions decisions = new Decisions();
    StateDict tensors = new StateDict(opened, headWish, decisions);
    try (Sources sources = sources(opened)) {
      Metadata written = metadata(opened, tensors, tensors.head().read(sources::floats), decisions);
      return new ConversionPlan(
          written.writer().metadata(),
          tensors.sources().stream().mapToLong(source -> source.tensor().elements()).sum(),
          writer(opened, tensors).totalBytes(),
          decisions.all(),
          written.examples());
    }
  }

  private TensorWriter writer(Checkpoint opened, StateDict tensors) {
    return new TensorWriter(opened.config().computedTensors(), tensors.sources(), type, progress);
  }

  private record Metadata(GgufWriter writer, List<String> examples) {}

  private Metadata metadata(
      Checkpoint opened, StateDict tensors, ValueHead head, Decisions decisions)
      throws IOException {
    Tokenizer vocabulary =
        Tokenizer.read(
            tokenizerPath(opened), opened.config(), Optional.ofNullable(spacePrefix), decisions);
    int length = maxLength > 0 ? maxLength : vocabulary.maxLength(isStarling(opened));
    opened.config().describe(decisions, length);
    GgufWriter writer = new GgufWriter();
    ModelMetadata metadata = new ModelMetadata(opened.config(), tensors);
    metadata.writeTo(writer, name == null ? folderName(opened) : name, type);
    vocabulary.writeTo(writer);
    writeFamily(writer, opened, decisions);
    TemplateChoice choice =
        new TemplateChoice(tokenizerFolder(opened), writer, decisions, template);
    List<String> examples = choice.choose(isStarling(opened));
    HeadMetadata.write(head, headFile(head), writer);
    writer.metadata(RewardMetadata.TEMPLATE, GgufValue.text(choice.name()));
    metadata.writeLengthTo(writer, length);
    vocabulary.writeTrainingTo(writer, isStarling(opened), isMistral(opened), decisions);
    new ReadoutChoice(opened, tensors, writer).write(readout, decisions);
    return new Metadata(writer, examples);
  }

  private static void writeFamily(GgufWriter writer, Checkpoint opened, Decisions decisions) {
    if (isStarling(opened)) {
      decisions.note("family", RewardMetadata.STARLING);
      return; // Files of Starling's say nothing.
    }
    String family =
        opened.config().classes().stream()
            .findFirst()
            .orElse(opened.config().architecture().modelType());
    writer.metadata(RewardMetadata.FAMILY, GgufValue.text(family));
    decisions.note("family", family);
  }

  private Conversion write(
      Path output,
      TensorWriter tensors,
      Metadata metadata,
      Checkpoint opened,
      ValueHead head,
      Sources sources,
      Decisions decisions)
      throws IOException {
    try (OutputFile file = OutputFile.begin(output, force, tensors.totalBytes());
        HeadFile.Pending headFile = HeadFile.begin(headFile(head), head, output)) {
      tensors.write(metadata.writer(), sources, file);
      sources.checkWhatWasRead();
      ModelShape sizes = validate(file.part(), output);
      opened.requireUnchanged();
      long size = file.channel().size();
      headFile.commit();
      file.commit();
      headFile.keep();
      return new Conversion(
          output,
          tensors.count(),
          sizes.parameterCount() + head.parameterCount(),
          tensors.bytesRead(),
          size,
          decisions.all(),
          metadata.examples());
    }
  }

  private static Optional<HeadFile> headFile(ValueHead head) throws IOException {
    return HeadMetadata.needsFile(head) ? Optional.of(HeadFile.of(head)) : Optional.empty();
  }

  private static ModelShape validate(Path part, Path output) throws IOException {
    try {
      return ModelCheck.check(GgufReader.read(part));
    } catch (BadFileException e) {
      String problem = e.getMessage().replace(part + ": ", "");
      throw new BadFileException(output, "would not load: " + problem, e);
    }
  }

  /** Starling-RM's own class, {@code GPTRewardModel}. */
  private static boolean isStarling(Checkpoint opened) {
    return opened.tensors().stream().anyMatch(t -> t.name().contains("transformer.layers."))
        && opened.tensors().stream().anyMatch(t -> t.name().endsWith("v_head.weight"));
  }

  private static boolean isMistral(Checkpoint opened) {
    return opened.config().architecture().modelType().equals("mistral");
  }

  private Path tokenizerPath(Checkpoint opened) {
    return tokenizer == null ? opened.tokenizerFolder() : tokenizer;
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
