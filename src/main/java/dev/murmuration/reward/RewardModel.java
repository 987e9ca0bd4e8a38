package dev.murmuration.reward;

import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.Vocabulary;
import dev.murmuration.reward.TextEncoder.Text;
import dev.murmuration.reward.TextEncoder.Tokens;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
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
 * try (RewardModel model = RewardModel.load(Path.of("starling-rm-7b-alpha-q4.gguf"))) {
 *   double reward = model.score("Hello?", "Hi, how can I help you?").reward();
 * }
 * }</pre>
 *
 * <p>Any thread may call any method, also several at once: texts are tokenized where they are
 * submitted and computed on a thread of the model's own, together where several wait. A call that
 * is interrupted, times out or has its future cancelled stops its computation (on a CPU within a
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

  private final LlamaModel model;
  private final Engine engine;
  private final Planner planner;
  private final TextEncoder encoder;
  private final ModelLoader.Settings settings;
  private final AtomicBoolean closed;

  private RewardModel(ModelLoader.Loaded loaded) {
    this.model = loaded.model();
    this.engine = loaded.engine();
    this.planner = loaded.planner();
    this.settings = loaded.settings();
    this.encoder =
        new TextEncoder(
            model.vocabulary(), settings.template(), settings.contextLength(), settings.truncate());
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
    return new RewardModel(ModelLoader.load(gguf, options));
  }

  /** Loads the model inside the jar with {@link Options#defaults}. */
  public static RewardModel loadEmbedded() throws IOException {
    return loadEmbedded(Options.defaults());
  }

  /**
   * Loads the model inside the jar, {@code fledgling}: 4.9 million parameters, for trying the
   * software, not for judging text.
   */
  public static RewardModel loadEmbedded(Options options) throws IOException {
    return new RewardModel(ModelLoader.loadEmbedded(options));
  }

  // ---- what it is ----

  /** The file's name, or {@code fledgling} for the embedded model. */
  public String name() {
    return settings.name();
  }

  /** The GGUF file that it was loaded from. */
  public Path file() {
    return settings.file();
  }

  /** Threads that compute. */
  public int threads() {
    return settings.threads();
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

  /** A prompt and its response, to be scored after every edit. */
  public ScoringSession session() {
    return new ScoringSession(this);
  }

  // ---- what it costs ----

  /**
   * What would be computed for conversations that are scored together by {@link #scoreAll} or
   * {@link #rank}, if nothing could be reused of earlier calls. Computes nothing.
   */
  public Plan explain(List<Conversation> conversations) {
    return planner.explain(conversations.stream().map(one -> tokenize(text(one)).ids()).toList());
  }

  /** What has been computed so far. */
  public ScoringStatistics statistics() {
    return engine.statistics();
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

  private Text text(Conversation conversation) {
    return encoder.text(conversation);
  }

  private Text raw(String text) {
    return encoder.raw(text);
  }

  private Tokens tokenize(Text text) {
    requireOpen();
    return encoder.tokenize(text);
  }

  private CompletableFuture<Reward> submit(Text text, boolean async) {
    return submit(request(tokenize(text), async));
  }

  private Request<Reward> request(Tokens tokens, boolean async) {
    return new Request<>(tokens.ids(), false, async, rewards -> reward(tokens, rewards));
  }

  private <T> CompletableFuture<T> submit(Request<T> request) {
    engine.submit(List.of(request));
    return request.future();
  }

  private CompletableFuture<RewardTrace> submitTrace(Text text, boolean async) {
    Tokens tokens = tokenize(text);
    int responseStart = encoder.responseStart(text, tokens);
    Vocabulary vocabulary = model.vocabulary();
    return submit(
        new Request<>(
            tokens.ids(),
            true,
            async,
            rewards ->
                new RewardTrace(
                    reward(tokens, rewards),
                    responseStart,
                    TokenTexts.steps(vocabulary, tokens.ids(), rewards))));
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
    List<Request<Reward>> requests =
        texts.stream().map(text -> request(tokenize(text), false)).toList();
    List<Reward> rewards = new ArrayList<>(texts.size());
    try {
      // Texts that begin alike stand together, so that they stay together where not all fit.
      engine.submit(
          requests.stream()
              .sorted(Comparator.comparing(Request::tokens, Arrays::compare))
              .toList());
      for (Request<Reward> request : requests) {
        rewards.add(await(request.future(), deadline));
      }
      return rewards;
    } finally {
      // Does nothing to those that are done: after a failure the rest shall not be computed for
      // nobody.
      requests.forEach(request -> request.future().cancel(true));
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
