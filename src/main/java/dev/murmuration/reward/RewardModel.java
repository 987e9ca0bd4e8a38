package dev.murmuration.reward;

import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.Vocabulary;
import dev.murmuration.reward.TextEncoder.Text;
import dev.murmuration.reward.TextEncoder.Tokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;

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
 * layer's time) and throws {@link CancellationException} or {@link ScoringTimeoutException}. After
 * {@link #close} every call throws {@link IllegalStateException}.
 *
 * <p>Texts: a lone surrogate is refused with its index, NUL characters are text, marks such as
 * {@code </s>} are read as special tokens. A text that is too long loses tokens on the left, behind
 * BOS, and the result says how many.
 */
public final class RewardModel implements AutoCloseable {
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
    this.closed = LeakReport.of(this, settings.name());
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
    return of(ModelLoader.load(gguf, options));
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
    return of(ModelLoader.loadEmbedded(options));
  }

  private static RewardModel of(ModelLoader.Loaded loaded) {
    try {
      return new RewardModel(loaded);
    } catch (Throwable e) {
      loaded.engine().close();
      loaded.model().close();
      throw e;
    }
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
    return one(text(conversation));
  }

  /** The reward of a text as it stands, without a template; BOS is added. */
  public Reward scoreText(String text) {
    return one(raw(text));
  }

  /**
   * The rewards of several conversations, in their order. The timeout of the options is for all of
   * them together.
   *
   * @throws IllegalArgumentException as {@link #score(String, String)}; it says which conversation
   * @throws NonFiniteRewardException if the model computes no finite number for some; it says for
   *     which, and holds the rewards of the others
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
    return oneTrace(text(conversation));
  }

  /** The reward after every token of a text as it stands. */
  public RewardTrace traceText(String text) {
    return oneTrace(raw(text));
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
    Deadline deadline = deadline();
    return planner.explain(
        tokenizeAll(conversations.stream().map(this::text).toList(), deadline).stream()
            .map(Tokens::ids)
            .toList());
  }

  /** What has been computed so far. */
  public ScoringStatistics statistics() {
    return engine.statistics();
  }

  // ---- the same without waiting ----

  /**
   * Like {@link #score(String, String)}, without waiting for the reward, though it tokenizes the
   * text, and waits while the queue is full. Bad arguments are thrown at once. Cancelling the
   * future stops the computation; after the options' timeout it fails with {@link
   * ScoringTimeoutException}. What is attached to the future runs on a virtual thread of its own
   * and may block.
   */
  public CompletableFuture<Reward> scoreAsync(String prompt, String response) {
    return scoreAsync(Conversation.of(prompt, response));
  }

  /**
   * Like {@link #score(Conversation)}, without waiting; see {@link #scoreAsync(String, String)}.
   */
  public CompletableFuture<Reward> scoreAsync(Conversation conversation) {
    return later(text(conversation));
  }

  /** Like {@link #scoreText}, without waiting; see {@link #scoreAsync(String, String)}. */
  public CompletableFuture<Reward> scoreTextAsync(String text) {
    return later(raw(text));
  }

  /**
   * Like {@link #trace(Conversation)}, without waiting; see {@link #scoreAsync(String, String)}.
   */
  public CompletableFuture<RewardTrace> traceAsync(Conversation conversation) {
    Deadline deadline = deadline();
    Text text = text(conversation);
    return later(() -> traced(text, deadline), true, deadline);
  }

  // ---- from text to a request ----

  private Text text(Conversation conversation) {
    return encoder.text(conversation);
  }

  private Text raw(String text) {
    return encoder.raw(text);
  }

  private Tokens tokenize(Text text, Deadline deadline) {
    requireOpen();
    return encoder.tokenize(text, deadline);
  }

  private List<Tokens> tokenizeAll(List<Text> texts, Deadline deadline) {
    requireOpen();
    return encoder.tokenizeAll(texts, deadline);
  }

  /** Tokens, and what becomes of their rewards. */
  private record Work<T>(Tokens tokens, Function<double[], T> result) {}

  private Work<Reward> scored(Text text, Deadline deadline) {
    Tokens tokens = tokenize(text, deadline);
    return new Work<>(tokens, rewards -> reward(tokens, rewards));
  }

  private Work<RewardTrace> traced(Text text, Deadline deadline) {
    Tokens tokens = tokenize(text, deadline);
    int responseStart = encoder.responseStart(text, tokens, deadline);
    Vocabulary vocabulary = model.vocabulary();
    return new Work<>(
        tokens,
        rewards ->
            new RewardTrace(
                reward(tokens, rewards),
                responseStart,
                TokenTexts.steps(vocabulary, tokens.ids(), rewards)));
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

  private Reward one(Text text) {
    Deadline deadline = deadline();
    return now(scored(text, deadline), false, deadline);
  }

  private RewardTrace oneTrace(Text text) {
    Deadline deadline = deadline();
    return now(traced(text, deadline), true, deadline);
  }

  private <T> T now(Work<T> work, boolean everyToken, Deadline deadline) {
    Request request = new Request(work.tokens().ids(), everyToken);
    engine.submit(List.of(request), deadline);
    return work.result().apply(engine.await(request, deadline));
  }

  private CompletableFuture<Reward> later(Text text) {
    Deadline deadline = deadline();
    return later(() -> scored(text, deadline), false, deadline);
  }

  private <T> CompletableFuture<T> later(
      Supplier<Work<T>> work, boolean everyToken, Deadline deadline) {
    try {
      Work<T> ready = work.get();
      var completion = new Completion<>(ready.tokens().ids(), everyToken, ready.result());
      engine.submit(List.of(completion.request()), deadline);
      return completion.future(engine, deadline);
    } catch (ScoringTimeoutException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private List<Reward> all(List<Text> texts) {
    Deadline deadline = deadline();
    List<Tokens> tokens = tokenizeAll(texts, deadline);
    List<Request> requests = tokens.stream().map(one -> new Request(one.ids(), false)).toList();
    // Texts that begin alike stand together, so that they stay together where not all fit.
    engine.submit(
        requests.stream().sorted(Comparator.comparing(Request::tokens, Arrays::compare)).toList(),
        deadline);
    List<Reward> rewards = new ArrayList<>(texts.size());
    NonFiniteRewardException notFinite = null;
    try {
      for (int i = 0; i < texts.size(); i++) {
        try {
          rewards.add(reward(tokens.get(i), engine.await(requests.get(i), deadline)));
        } catch (NonFiniteRewardException e) {
          notFinite = notFinite == null ? e : notFinite;
          rewards.add(null);
        }
      }
    } catch (RuntimeException | Error e) {
      // The rest shall not be computed for nobody.
      requests.forEach(request -> engine.withdraw(request, e));
      throw e;
    }
    if (notFinite != null) {
      throw texts.size() == 1 ? notFinite : new NonFiniteRewardException(rewards, notFinite);
    }
    return rewards;
  }

  private Deadline deadline() {
    return Deadline.after(settings.timeout());
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
    encoder.close();
    model.close();
  }
}
