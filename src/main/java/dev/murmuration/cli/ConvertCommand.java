package dev.murmuration.cli;

import dev.murmuration.checkpoint.Conversion;
import dev.murmuration.checkpoint.Converter;
import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.DecisionsJson;
import dev.murmuration.cli.view.DecisionsText;
import dev.murmuration.cli.view.Json;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.model.SpacePrefix;
import dev.murmuration.reward.ChatTemplate;
import dev.murmuration.reward.Readout;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code murmur convert}. */
@Command(
    name = "convert",
    header = "Makes a GGUF file from a checkpoint such as Starling-RM's.",
    description = {
      "",
      "Reads PyTorch (pytorch_model.bin, *.pt) and safetensors files, sharded or not, without"
          + " Python, and executes nothing of what is in them. The GGUF holds the value head, the"
          + " tokenizer and the chat template, the tokenizer's own unless --template says"
          + " otherwise. It appears when it is complete and checked.",
      "",
      "Starling-RM's checkpoint comes without its tokenizer, which is that of Llama-2-7b-chat-hf:"
          + " download tokenizer.model and name its folder.",
      "",
      "Examples:",
      "  murmur convert Starling-RM-7B-alpha -o starling-f16.gguf",
      "  murmur convert checkpoint -o rm.gguf --type q8_0 --tokenizer llama2"
    })
final class ConvertCommand extends TerminalCommand {
  /** Where standard error is a file. */
  private static final int TEXT_COLUMNS = 100;

  @Mixin private final JsonOption json = new JsonOption();

  @Parameters(
      paramLabel = "CHECKPOINT",
      description = "Its folder, or one file of weights with config.json beside it.")
  private Path checkpoint;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUT.gguf",
      required = true,
      order = 1,
      description = "The file to write.")
  private Path output;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      order = 2,
      converter = TypeConverter.class,
      completionCandidates = TypeConverter.Names.class,
      description =
          "How matrices are stored: f32, f16, bf16 or q8_0. Default: f16, from which 'murmur"
              + " quantize' makes smaller files.")
  private GgufTensorType type = GgufTensorType.F16;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      order = 3,
      description =
          "tokenizer.json or tokenizer.model, or their folder. Default: the checkpoint's folder.")
  private Path tokenizer;

  @Option(
      names = "--space-prefix",
      paramLabel = "WHERE",
      order = 3,
      converter = SpacePrefixConverter.class,
      completionCandidates = SpacePrefixConverter.Names.class,
      description =
          "Where a SentencePiece tokenizer puts blanks: none, every-piece (before the text and"
              + " behind each special token), sentencepiece (the same, but not behind tokens that"
              + " the user defined), always (where there is none yet) or first (before the text)."
              + " Default: what its files say.")
  private SpacePrefix spacePrefix;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      order = 5,
      description =
          "The model's name (general.name). Default: the name of the checkpoint's folder.")
  private String name;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      order = 5,
      description =
          "The most tokens of a text that are scored with the file. Default: what the tokenizer's"
              + " files say, or 2048 where that is nothing or more than 8192.")
  private Integer maxLength;

  @Option(
      names = "--base",
      paramLabel = "DIR",
      order = 6,
      description = "The base model of a LoRA adapter: CHECKPOINT, the adapter, is merged into it.")
  private Path base;

  @Option(
      names = "--head-tensor",
      paramLabel = "NAME",
      order = 7,
      description =
          "The tensor with the value head's weights, if it has an unusual name. Default: the one"
              + " tensor that is named as heads usually are.")
  private String headTensor;

  @Option(
      names = "--head-row",
      paramLabel = "N",
      order = 8,
      description =
          "Which output of a classifier is the reward, counted from 0. Default: a head has one"
              + " output.")
  private Integer headRow;

  @Option(names = "--force", order = 9, description = "Replace OUT.gguf if it is there.")
  private boolean force;

  @Option(
      names = "--template",
      paramLabel = "TEMPLATE",
      order = 0,
      converter = TemplateOption.TemplateConverter.class,
      completionCandidates = TemplateOption.TemplateConverter.Names.class,
      description =
          "The chat template that the model was trained with: one of ${COMPLETION-CANDIDATES}, or a"
              + " file with a Jinja template. It is written into the file"
              + " (reward_model.template), and scoring with the file uses it. Default: the"
              + " tokenizer's own; llama2 for Starling-RM-7B.")
  private ChatTemplate template;

  @Option(
      names = "--template-date",
      paramLabel = "YYYY-MM-DD",
      order = 0,
      description =
          "The day that a Jinja template is told as today, in every later use of the file. Default:"
              + " the template's own, else the day of the conversion.")
  private LocalDate templateDate;

  @Option(
      names = "--readout",
      paramLabel = "RULE",
      order = 4,
      converter = LoadOptions.ReadoutConverter.class,
      completionCandidates = LoadOptions.ReadoutConverter.Names.class,
      description =
          "Which token's hidden state gives the reward: last_token, before_pad, before_first_pad or"
              + " published (what the code on Starling-RM-7B's card returns). Default: what the"
              + " model's published class reads.")
  private Readout readout;

  ConvertCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    Converter converter = Converter.of(checkpoint).type(type).force(force);
    if (tokenizer != null) {
      converter = converter.tokenizer(tokenizer);
    }
    if (spacePrefix != null) {
      converter = converter.spacePrefix(spacePrefix);
    }
    if (name != null) {
      converter = converter.name(name);
    }
    if (base != null) {
      converter = converter.base(base);
    }
    if (headTensor != null) {
      converter = converter.headTensor(headTensor);
    }
    if (headRow != null) {
      converter = converter.headRow(headRow);
    }
    if (template != null) {
      converter =
          template.text().isPresent()
              ? converter.templateText(template.text().get())
              : converter.template(template.name());
    }
    if (templateDate != null) {
      converter = converter.templateDate(templateDate);
    }
    if (maxLength != null) {
      converter = converter.maxLength(maxLength);
    }
    if (readout != null) {
      converter = converter.readout(readout.label());
    }
    Conversion done = run(converter);
    if (json.json) {
      print(done);
    } else {
      close(done);
    }
    return ExitCode.DONE;
  }

  private Conversion run(Converter converter) throws IOException {
    try (LoadProgress progress = progress("Converting " + checkpoint.getFileName())) {
      return converter
          .progress((tensor, bytes, total) -> progress.accept((double) bytes / total))
          .convert(output);
    }
  }

  private void close(Conversion done) {
    Terminal terminal = terminal();
    String command = System.getProperty("murmur.command", "murmur");
    terminal.note(
        "wrote "
            + output
            + ": "
            + type
            + ", "
            + Numbers.bytes(done.bytesWritten())
            + ", "
            + done.parameters()
            + " parameters");
    summary(done, terminal);
    terminal.note(
        type == GgufTensorType.Q8_0
            ? "next: " + command + " demo -m " + output
            : "next: " + command + " quantize " + output + " OUT.gguf, which makes it smaller");
  }

  private static void summary(Conversion done, Terminal terminal) {
    if (!terminal.quiet()) {
      int columns = terminal.errIsTerminal() ? terminal.columns() : TEXT_COLUMNS;
      DecisionsText.lines(done.decisions(), columns).forEach(terminal.err()::println);
      if (!done.examples().isEmpty()) {
        terminal.err().println("Conversations as the model gets them:");
        DecisionsText.exampleLines(done.examples(), columns).forEach(terminal.err()::println);
        terminal.err().println();
      }
    }
  }

  private void print(Conversion done) throws IOException {
    Json.printObject(
        terminal(),
        json -> {
          json.writeStringField("file", done.file().toString());
          json.writeStringField("type", type.name());
          json.writeNumberField("tensors", done.tensors());
          json.writeNumberField("parameters", done.parameters());
          json.writeNumberField("bytes_read", done.bytesRead());
          json.writeNumberField("bytes_written", done.bytesWritten());
          DecisionsJson.write(json, done.decisions());
          json.writeArrayFieldStart("examples");
          for (String example : done.examples()) {
            json.writeString(example);
          }
          json.writeEndArray();
        });
  }

  /** Names of places for blanks. */
  static final class SpacePrefixConverter implements ITypeConverter<SpacePrefix> {
    @Override
    public SpacePrefix convert(String value) {
      return Arrays.stream(SpacePrefix.values())
          .filter(prefix -> name(prefix).equals(value))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "no place '"
                          + value
                          + "' for blanks; there are "
                          + names().collect(Collectors.joining(", "))));
    }

    private static String name(SpacePrefix prefix) {
      return prefix.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Stream<String> names() {
      return Arrays.stream(SpacePrefix.values()).map(SpacePrefixConverter::name);
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return names().iterator();
      }
    }
  }

  /** Names of types, in lower or upper case. */
  static final class TypeConverter implements ITypeConverter<GgufTensorType> {
    @Override
    public GgufTensorType convert(String value) {
      return Converter.types().stream()
          .filter(type -> type.name().equalsIgnoreCase(value))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "no type '"
                          + value
                          + "' to convert to; there are "
                          + names().collect(Collectors.joining(", "))));
    }

    private static Stream<String> names() {
      return Converter.types().stream().map(type -> type.name().toLowerCase(Locale.ROOT));
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return names().iterator();
      }
    }
  }
}
