package dev.murmuration.reward;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.llama.ResourceCache;
import dev.murmuration.llama.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A reward model that scores text: prompt and response in, one number out, higher is better.
 *
 * <pre>{@code
 * try (RewardModel model = RewardModel.load(Path.of("starling-rm-7b-alpha-q8_0.gguf"))) {
 *   double reward = model.score("Hello?", "Hi, how can I help you?").reward();
 * }
 * }</pre>
 *
 * <p>Any thread may call any method, also several at once: texts are tokenized where they are
 * submitted and computed one after another on a thread of the model's own. A call that is
 * interrupted, times out or has its future cancelled stops its computation (on a CPU within a
 * layer's time) and throws {@link CancellationException} or {@link ScoringTimeoutException};
 * tokenizing, at most a second or two for the longest text, is not interrupted. After {@link
 * #close} every call throws {@link IllegalStateException}.
 *
 * <p>Texts: a lone surrogate is refused with its index, NUL characters are text, marks such as
 * {@code </s>} are read as special tokens. A text that is too long loses tokens on the left, behind
 * BOS, and the result says how many.
 */
public final class RewardModel implements AutoCloseable {
  private static final Cleaner LEAKS = Cleaner.create();
  private static final String RAW = "raw";

  /**
   * Rows of hidden states a decode: a trace asks for all, in portions, because llama.cpp reserves
   * logits for each.
   */
  private static final int MAX_OUTPUTS = 256;

  private final LlamaModel model;
  private final Engine engine;
  private final Settings settings;
  private final AtomicBoolean closed;

  /** What is known about a loaded model. */
  private record Settings(
      String name,
      ChatTemplate template,
      Precision precision,
      int contextLength,
      boolean truncate,
      Duration timeout,
      LlamaHyperparameters hyperparameters) {}

  private RewardModel(LlamaModel model, Engine engine, Settings settings) {
    this.model = model;
    this.engine = engine;
    this.settings = settings;
    AtomicBoolean flag = new AtomicBoolean();
    this.closed = flag;
    Throwable created = new Throwable("created here");
    String name = settings.name();
    // Only a report: freeing belongs to whoever loaded it.
    LEAKS.register(
        this,
        () -> {
          if (!flag.get()) {
            System.getLogger(RewardModel.class.getName())
                .log(
                    System.Logger.Level.WARNING,
                    "reward model " + name + " was never closed; its memory is lost",
                    created);
          }
        });
  }

  /** Loads a model with {@link Options#defaults}. */
  public static RewardModel load(Path gguf) throws IOException {
    return load(gguf, Options.defaults());
  }

  /**
   * Loads a reward model from a GGUF file of architecture {@code llama}. The file is checked
   * completely before llama.cpp sees it.
   *
   * @throws IOException if the file cannot be read, is damaged, or is no reward model
   * @throws IllegalArgumentException if an option does not fit the model or this machine
   * @throws dev.murmuration.llama.LlamaException if llama.cpp cannot load it
   * @throws LinkageError if the native library cannot be loaded
   */
  public static RewardModel load(Path gguf, Options options) throws IOException {
    return load(gguf, options, fileName(gguf));
  }

  /**
   * Loads the model inside the jar, {@code fledgling}: 4.9 million parameters, for trying the
   * software, not for judging text.
   */
  public static RewardModel loadEmbedded(Options options) throws IOException {
    return load(embeddedFile(), options, "fledgling");
  }

  private static Path embeddedFile() throws IOException {
    String file = "fledgling-q8_0.gguf";
    String[] hashAndSize;
    try (InputStream in = RewardModel.class.getResourceAsStream(file + ".sha256")) {
      hashAndSize = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip().split(" ");
    }
    var entry = new ResourceCache.Entry(file, Long.parseLong(hashAndSize[1]), hashAndSize[0]);
    String folder = "/" + RewardModel.class.getPackageName().replace('.', '/') + "/";
    String key = "fledgling-" + hashAndSize[0].substring(0, 24);
    return ResourceCache.extract(RewardModel.class, folder, key, List.of(entry)).resolve(file);
  }

  private static String fileName(Path file) {
    Path name = file.getFileName();
    return name == null ? file.toString() : name.toString();
  }

  private static RewardModel load(Path file, Options options, String name) throws IOException {
    Gguf gguf = Gguf.read(file);
    LlamaHyperparameters shape = LlamaHyperparameters.validate(gguf);
    ValueHead head =
        options.valueHead().isPresent()
            ? ValueHead.ofSafetensors(options.valueHead().get(), shape.hiddenSize())
            : ValueHead.of(gguf, shape.hiddenSize());
    Settings settings =
        new Settings(
            name,
            template(gguf, options),
            options.precision(),
            contextLength(gguf, options, shape),
            options.truncate(),
            options.timeout().orElse(null),
            shape);
    ContextParameters context = contextParameters(options, settings.contextLength());
    MemoryNeed.of(shape, context).requireAvailable(settings.contextLength());

    LlamaModel model =
        LlamaModel.load(
            file,
            new ModelParameters(
                options.gpuLayers(), options.device().orElse(null), options.memoryMap()),
            options.progress().orElse(null));
    try {
      Planner planner =
          new Planner(
              context.batchSize(), context.maxOutputs(), options.precision() == Precision.EXACT);
      Engine engine = new Engine(model, context, head, planner, options.queueCapacity());
      return new RewardModel(model, engine, settings);
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

  private static int contextLength(Gguf gguf, Options options, LlamaHyperparameters shape)
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

  private static ContextParameters contextParameters(Options options, int contextLength) {
    int cells = tiles(contextLength);
    int batch = options.batchSize() == 0 ? cells : Math.min(tiles(options.batchSize()), cells);
    boolean fast = options.precision() == Precision.FAST;
    return new ContextParameters(
        cells,
        batch,
        Math.min(tiles(options.microBatchSize()), batch),
        1,
        Math.min(MAX_OUTPUTS, batch),
        options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads(),
        fast,
        fast,
        options.readout());
  }

  private static int tiles(int tokens) {
    return Math.ceilDiv(tokens, Planner.TILE) * Planner.TILE;
  }

  // ---- what it is ----

  /** The file's name, or {@code fledgling} for the embedded model. */
  public String name() {
    return settings.name();
  }

  /** The template that turns conversations into text. */
  public ChatTemplate template() {
    return settings.template();
  }

  public Precision precision() {
    return settings.precision();
  }

  /** The most tokens scored of a text. */
  public int contextLength() {
    return settings.contextLength();
  }

  /** The model's shape. */
  public LlamaHyperparameters hyperparameters() {
    return settings.hyperparameters();
  }

  // ---- scoring ----

  /**
   * The reward of a response to a prompt.
   *
   * @throws IllegalArgumentException if the prompt is empty, a text cannot be encoded, or is too
   *     long and truncation is off
   */
  public Reward score(String prompt, String response) {
    return score(Conversation.of(prompt, response));
  }

  /** The reward of a conversation's last message. */
  public Reward score(Conversation conversation) {
    return await(submit(text(conversation), false), deadline());
  }

  /** The reward of a text as it stands, without a template; BOS is added. */
  public Reward scoreText(String text) {
    return await(submit(raw(text), false), deadline());
  }

  /**
   * The rewards of several conversations, in their order. The timeout of the options is for all of
   * them together.
   */
  public List<Reward> scoreAll(List<Conversation> conversations) {
    return all(conversations.stream().map(this::text).toList());
  }

  /** The rewards of several texts as they stand, in their order. */
  public List<Reward> scoreAllTexts(List<String> texts) {
    return all(texts.stream().map(this::raw).toList());
  }

  /**
   * Ranks responses to a prompt.
   *
   * @throws IllegalArgumentException as {@link #score(String, String)}, or if there are no
   *     responses
   */
  public Ranking rank(String prompt, List<String> responses) {
    if (responses.isEmpty()) {
      throw new IllegalArgumentException("there are no responses to rank; give one or more");
    }
    return Ranking.of(
        responses,
        scoreAll(responses.stream().map(response -> Conversation.of(prompt, response)).toList()));
  }

  /** The reward after every token of prompt and response. */
  public RewardTrace trace(String prompt, String response) {
    return trace(Conversation.of(prompt, response));
  }

  /** The reward after every token of a conversation. */
  public RewardTrace trace(Conversation conversation) {
    return await(submitTrace(text(conversation), false), deadline());
  }

  /** The reward after every token of a text as it stands. */
  public RewardTrace traceText(String text) {
    return await(submitTrace(raw(text), false), deadline());
  }

  // ---- the same without waiting ----

  /**
   * Like {@link #score(String, String)}, without waiting for the reward, though it waits while the
   * queue is full. Bad arguments are thrown at once. Cancelling the future stops the computation;
   * after the options' timeout it fails with {@link TimeoutException}.
   */
  public CompletableFuture<Reward> scoreAsync(String prompt, String response) {
    return scoreAsync(Conversation.of(prompt, response));
  }

  /**
   * Like {@link #score(Conversation)}, without waiting; see {@link #scoreAsync(String, String)}.
   */
  public CompletableFuture<Reward> scoreAsync(Conversation conversation) {
    return timed(submit(text(conversation), true));
  }

  /** Like {@link #scoreText}, without waiting; see {@link #scoreAsync(String, String)}. */
  public CompletableFuture<Reward> scoreTextAsync(String text) {
    return timed(submit(raw(text), true));
  }

  /**
   * Like {@link #trace(Conversation)}, without waiting; see {@link #scoreAsync(String, String)}.
   */
  public CompletableFuture<RewardTrace> traceAsync(Conversation conversation) {
    return timed(submitTrace(text(conversation), true));
  }

  private <T> CompletableFuture<T> timed(CompletableFuture<T> future) {
    return settings.timeout() == null
        ? future
        : future.orTimeout(settings.timeout().toNanos(), TimeUnit.NANOSECONDS);
  }

  // ---- from text to a request ----

  /**
   * A text to be scored. {@code beforeResponse} is its part before the response, empty for raw
   * text.
   */
  private record Text(String whole, String beforeResponse, String template) {}

  /** Tokens to be scored, at most {@code contextLength}. Never compared. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Tokens(int[] ids, int truncated, String template) {}

  private Text text(Conversation conversation) {
    ChatTemplate template = settings.template();
    return new Text(
        template.render(conversation), template.beforeResponse(conversation), template.name());
  }

  private Text raw(String text) {
    return new Text(text, "", RAW);
  }

  private Tokens tokenize(Text text) {
    requireOpen();
    int[] ids = model.vocabulary().tokenize(text.whole(), true);
    int limit = settings.contextLength();
    int excess = ids.length - limit;
    if (excess <= 0) {
      return new Tokens(ids, 0, text.template());
    }
    if (!settings.truncate()) {
      throw new IllegalArgumentException(
          "the text has "
              + ids.length
              + " tokens, the context holds "
              + limit
              + "; shorten it, raise --ctx-size, or allow truncation");
    }
    int[] kept = new int[limit];
    kept[0] = ids[0];
    System.arraycopy(ids, excess + 1, kept, 1, limit - 1);
    return new Tokens(kept, excess, text.template());
  }

  private CompletableFuture<Reward> submit(Text text, boolean async) {
    Tokens tokens = tokenize(text);
    return engine.submit(tokens.ids(), false, async, rewards -> reward(tokens, rewards));
  }

  private CompletableFuture<RewardTrace> submitTrace(Text text, boolean async) {
    Tokens tokens = tokenize(text);
    int responseStart = responseStart(text, tokens);
    Vocabulary vocabulary = model.vocabulary();
    return engine.submit(
        tokens.ids(),
        true,
        async,
        rewards ->
            new RewardTrace(
                reward(tokens, rewards),
                responseStart,
                TokenTexts.steps(vocabulary, tokens.ids(), rewards)));
  }

  /**
   * The first token that the response has a part in: where the tokens with it part from the tokens
   * without it.
   */
  private int responseStart(Text text, Tokens tokens) {
    if (text.beforeResponse().isEmpty()) {
      return 0;
    }
    int[] before = model.vocabulary().tokenize(text.beforeResponse(), true);
    int[] ids = tokens.ids();
    int same = tokens.truncated();
    while (same < before.length
        && same - tokens.truncated() < ids.length
        && (same == tokens.truncated() || before[same] == ids[same - tokens.truncated()])) {
      same++;
    }
    return Math.clamp(same - tokens.truncated(), 0, ids.length - 1);
  }

  private Reward reward(Tokens tokens, double[] rewards) {
    int last = tokens.ids().length - 1;
    return new Reward(
        rewards[rewards.length - 1],
        tokens.ids().length,
        tokens.truncated(),
        last,
        tokens.ids()[last],
        tokens.template(),
        settings.precision(),
        settings.name(),
        Version.build());
  }

  // ---- waiting ----

  private List<Reward> all(List<Text> texts) {
    long deadline = deadline();
    List<CompletableFuture<Reward>> futures = new ArrayList<>(texts.size());
    List<Reward> rewards = new ArrayList<>(texts.size());
    try {
      for (Text text : texts) {
        futures.add(submit(text, false));
      }
      for (CompletableFuture<Reward> future : futures) {
        rewards.add(await(future, deadline));
      }
      return rewards;
    } finally {
      // Does nothing to those that are done: after a failure the rest shall not be computed for
      // nobody.
      futures.forEach(future -> future.cancel(true));
    }
  }

  /**
   * The moment, by {@link System#nanoTime}, until which a call that begins now may take; 0 for any
   * time.
   */
  private long deadline() {
    return settings.timeout() == null ? 0 : System.nanoTime() + settings.timeout().toNanos() | 1;
  }

  private <T> T await(CompletableFuture<T> future, long deadline) {
    try {
      return deadline == 0
          ? future.get()
          : future.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException("interrupted while scoring; the computation was cancelled");
      cancelled.initCause(e);
      throw cancelled;
    } catch (TimeoutException e) {
      future.cancel(true);
      throw new ScoringTimeoutException(settings.timeout());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException("the reward model is closed");
    }
  }

  /**
   * Frees the model. Texts that wait or are being scored fail with {@link IllegalStateException};
   * returns when the engine has ended. Closing twice is allowed.
   */
  @Override
  public void close() {
    closed.set(true);
    engine.close();
    model.close();
  }
}
