package dev.murmuration.reward;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * A reward model that scores text: prompt and response in, one number out, higher is better.
 *
 * <pre>{@code
 * try (RewardModel model = RewardModel.load(Path.of("starling-rm-7b-alpha-q4.gguf"))) {
 *   double reward = model.score("Hello?", "Hi, how can I help you?").reward();
 * }
 * }</pre>
 *
 * <p>Any number of threads may call any methods at the same time. A text is tokenized on the
 * calling thread and computed on a thread of the model's own, together with others that wait. A
 * call that is interrupted, times out or has its future cancelled stops its computation (on a CPU
 * within a layer's time) and throws {@link CancellationException} or {@link
 * ScoringTimeoutException}. After {@link #close} every call throws {@link IllegalStateException}.
 *
 * <p>A text with a lone surrogate is refused; the message has its index. NUL characters are
 * allowed. Marks such as {@code </s>} are read as special tokens, unless {@link
 * RewardModelOptions#literal} is on. A text that is too long loses tokens on the side that the
 * model file names, and the result says how many. Which token is read then is the {@link Readout}'s
 * to say.
 */
public final class RewardModel implements AutoCloseable {
  private final LoadedModel loaded;

  private RewardModel(LoadedModel loaded) {
    this.loaded = loaded;
  }

  /**
   * Loads a model with {@link RewardModelOptions#defaults}; throws what {@link #load(Path,
   * RewardModelOptions)} throws.
   *
   * @param gguf the file
   * @return the model, to be closed
   * @throws IOException if it cannot be read or is not such a model
   */
  public static RewardModel load(Path gguf) throws IOException {
    return load(gguf, RewardModelOptions.defaults());
  }

  /**
   * Loads a reward model from a GGUF file of an architecture that is known here. The file is
   * checked completely before llama.cpp sees it.
   *
   * @param gguf the file
   * @param options how it is loaded
   * @return the model, to be closed
   * @throws IOException if the file cannot be read, is damaged, or is no reward model
   * @throws IllegalArgumentException if an option does not fit the model or this machine
   * @throws dev.murmuration.llama.LlamaException if llama.cpp cannot load it
   * @throws LinkageError if the native library cannot be loaded
   */
  public static RewardModel load(Path gguf, RewardModelOptions options) throws IOException {
    return new RewardModel(ModelLoader.load(gguf, options));
  }

  /**
   * Loads the model inside the jar with {@link RewardModelOptions#defaults}.
   *
   * @return the model, to be closed
   * @throws IOException if it cannot be read or is not such a model
   */
  public static RewardModel loadEmbedded() throws IOException {
    return loadEmbedded(RewardModelOptions.defaults());
  }

  /**
   * Loads the model inside the jar, {@code fledgling}: 4.9 million parameters, for trying the
   * software, not for judging text.
   *
   * @param options how it is loaded
   * @return the model, to be closed
   * @throws IOException if it cannot be read or is not such a model
   * @throws IllegalArgumentException if an option does not fit the model or this machine
   */
  public static RewardModel loadEmbedded(RewardModelOptions options) throws IOException {
    return new RewardModel(ModelLoader.loadEmbedded(options));
  }

  /** {@return the file's name, or {@code fledgling} for the embedded model} */
  public String name() {
    return loaded.settings().name();
  }

  /** {@return the GGUF file that it was loaded from} */
  public Path file() {
    return loaded.settings().file();
  }

  /** {@return how large it is} */
  public ModelSize size() {
    return loaded.settings().size();
  }

  /** {@return threads that compute} */
  public int threads() {
    return loaded.settings().threads();
  }

  /** {@return the most tokens computed at once} */
  public int microBatchSize() {
    return loaded.settings().microBatchSize();
  }

  /** {@return the template that turns conversations into text} */
  public ChatTemplate template() {
    return loaded.settings().template();
  }

  /** {@return which token is read} */
  public Readout readout() {
    return Readout.of(loaded.settings().readout());
  }

  /** {@return how exactly attention is computed} */
  public Precision precision() {
    return loaded.settings().precision();
  }

  /** {@return whether marks in texts are plain characters, unless a call says otherwise} */
  public boolean literal() {
    return loaded.settings().literal();
  }

  /** {@return the most tokens scored of a text} */
  public int contextLength() {
    return loaded.settings().contextLength();
  }

  /**
   * {@return the reward of a response to a prompt}
   *
   * @param prompt what is answered; not empty
   * @param response the text that is judged; may be empty
   * @throws IllegalArgumentException if the prompt is empty, a text cannot be encoded, or is too
   *     long and truncation is off
   * @throws NonFiniteRewardException if the model computes no finite number for it
   * @throws ScoringTimeoutException if it takes longer than the options allow
   */
  public Reward score(String prompt, String response) {
    return score(Input.of(prompt, response));
  }

  /**
   * {@return the reward of a conversation's last message, a text or tokens} Throws what {@link
   * #score(String, String)} throws.
   *
   * @param input what is scored
   */
  public Reward score(Input input) {
    return score(input, CallOptions.defaults());
  }

  /**
   * {@return the reward of a conversation's last message, a text or tokens}
   *
   * @param input what is scored
   * @param options how the call behaves
   * @throws IllegalArgumentException as {@link #score(String, String)}
   * @throws java.util.concurrent.RejectedExecutionException if the queue is full and the call is
   *     not to wait
   */
  public Reward score(Input input, CallOptions options) {
    return loaded.score(input, options);
  }

  /**
   * {@return the rewards of several inputs, in their order} Throws what {@link #scoreAll(List,
   * CallOptions)} throws.
   *
   * @param inputs what is scored; may be empty
   */
  public List<Reward> scoreAll(List<? extends Input> inputs) {
    return scoreAll(inputs, CallOptions.defaults());
  }

  /**
   * {@return the rewards of several inputs, in their order} The timeout is for all of them
   * together.
   *
   * @param inputs what is scored; may be empty
   * @param options how the call behaves
   * @throws IllegalArgumentException as {@link #score(String, String)}; it says which input
   * @throws NonFiniteRewardException if the model computes no finite number for some; it says for
   *     which, and holds the rewards of the others
   * @throws java.util.concurrent.RejectedExecutionException if the queue has no room for all of
   *     them and the call is not to wait
   */
  public List<Reward> scoreAll(List<? extends Input> inputs, CallOptions options) {
    return loaded.scoreAll(inputs, options);
  }

  /**
   * {@return responses to a prompt, the best first} Throws what {@link #rank(String, List,
   * CallOptions)} throws.
   *
   * @param prompt what is answered; not empty
   * @param responses the texts that are compared
   */
  public Ranking rank(String prompt, List<String> responses) {
    return rank(prompt, responses, CallOptions.defaults());
  }

  /**
   * {@return responses to a prompt, the best first}
   *
   * @param prompt what is answered; not empty
   * @param responses the texts that are compared
   * @param options how the call behaves
   * @throws IllegalArgumentException as {@link #score(String, String)}, or if there are no
   *     responses
   */
  public Ranking rank(String prompt, List<String> responses, CallOptions options) {
    return loaded.rank(prompt, responses, options);
  }

  /**
   * {@return the reward after every token} Throws what {@link #trace(Input, CallOptions)} throws.
   *
   * @param prompt what is answered; not empty
   * @param response the text that is judged; may be empty
   */
  public RewardTrace trace(String prompt, String response) {
    return trace(Input.of(prompt, response));
  }

  /**
   * {@return the reward after every token} Throws what {@link #trace(Input, CallOptions)} throws.
   *
   * @param input what is scored
   */
  public RewardTrace trace(Input input) {
    return trace(input, CallOptions.defaults());
  }

  /**
   * {@return the reward after every token of an input}
   *
   * @param input what is scored
   * @param options how the call behaves
   * @throws IllegalArgumentException as {@link #score(String, String)}
   * @throws IllegalStateException also if the read-out is {@link Readout#PUBLISHED}, which reads no
   *     token of the text
   */
  public RewardTrace trace(Input input, CallOptions options) {
    return loaded.trace(input, options);
  }

  /** {@return a prompt and its response, to be scored after every edit} */
  public ScoringSession session() {
    return new ScoringSession(this::score, this::submit);
  }

  /**
   * Like {@link #score(Input)}, without waiting; see {@link #submit(Input, CallOptions)}.
   *
   * @param input what is scored
   * @return the reward to come; cancelling it withdraws the input
   */
  public CompletableFuture<Reward> submit(Input input) {
    return submit(input, CallOptions.defaults());
  }

  /**
   * Like {@link #score(Input, CallOptions)}, without waiting for the reward, though it tokenizes
   * the text, and waits while the queue is full unless the options say otherwise. Bad arguments are
   * thrown at once. Cancelling the future stops the computation; after the timeout it fails with
   * {@link ScoringTimeoutException}. What is attached to the future runs on a virtual thread of its
   * own and may block.
   *
   * @param input what is scored
   * @param options how the call behaves
   * @return the reward to come; cancelling it withdraws the input
   * @throws IllegalArgumentException as {@link #score(String, String)}
   * @throws java.util.concurrent.RejectedExecutionException if the queue is full and the call is
   *     not to wait
   */
  public CompletableFuture<Reward> submit(Input input, CallOptions options) {
    return loaded.submit(input, options);
  }

  /**
   * Like {@link #scoreAll(List, CallOptions)}, without waiting: the inputs are computed together,
   * and each reward is there as soon as it is known. A timeout fails all futures that have no
   * reward then. See {@link #submit(Input, CallOptions)}.
   *
   * @param inputs what is scored; may be empty
   * @param options how the call behaves
   * @return the rewards to come, in the order of the inputs; cancelling one withdraws its input
   */
  public List<CompletableFuture<Reward>> submitAll(
      List<? extends Input> inputs, CallOptions options) {
    return loaded.submitAll(inputs, options);
  }

  /**
   * Like {@link #trace(Input)}, without waiting; see {@link #submit(Input, CallOptions)}.
   *
   * @param input what is scored
   * @return the trace to come; cancelling it withdraws the input
   */
  public CompletableFuture<RewardTrace> submitTrace(Input input) {
    return submitTrace(input, CallOptions.defaults());
  }

  /**
   * Like {@link #trace(Input, CallOptions)}, without waiting; see {@link #submit(Input,
   * CallOptions)}. Throws what both throw.
   *
   * @param input what is scored
   * @param options how the call behaves
   * @return the trace to come; cancelling it withdraws the input
   */
  public CompletableFuture<RewardTrace> submitTrace(Input input, CallOptions options) {
    return loaded.submitTrace(input, options);
  }

  /**
   * What would be computed for inputs that are scored together by {@link #scoreAll} or {@link
   * #rank}, if nothing could be reused of earlier loaded. Computes nothing.
   *
   * @param inputs what is scored; may be empty
   * @return the cost in tokens and decodes
   */
  public ScoringCost explain(List<? extends Input> inputs) {
    return explain(inputs, CallOptions.defaults());
  }

  /**
   * Like {@link #explain(List)}, as a call with these options would read the inputs.
   *
   * @param inputs what is scored; may be empty
   * @param options how the call behaves
   * @return the cost in tokens and decodes
   * @throws IllegalArgumentException as {@link #score(String, String)}; it says which input
   */
  public ScoringCost explain(List<? extends Input> inputs, CallOptions options) {
    return loaded.explain(inputs, options);
  }

  /**
   * {@return the tokens of an input, with those that the tokenizer adds; all of them, also where
   * scoring would cut some off}
   *
   * @param input what would be scored
   * @param options how the call behaves
   * @throws IllegalArgumentException if a text cannot be encoded, or has no token
   */
  public TokenIds tokenize(Input input, CallOptions options) {
    return loaded.tokenize(input, options);
  }

  /**
   * {@return what each token adds to a text} A character whose bytes are spread over several tokens
   * stands at the last of them.
   *
   * @param tokens ids of the vocabulary
   * @throws IllegalArgumentException if the vocabulary lacks one
   */
  public List<String> texts(TokenIds tokens) {
    return loaded.texts(tokens);
  }

  /** {@return what has been computed so far} */
  public ScoringStatistics statistics() {
    return loaded.statistics();
  }

  /** {@return texts that wait in the queue and are not computed yet} */
  public int queueLength() {
    return loaded.queueLength();
  }

  /** {@return whether it scores: it is not closed, and its thread has not ended by a failure} */
  public boolean isOpen() {
    return loaded.isOpen();
  }

  /**
   * Frees the model. Texts that wait or are being scored fail with {@link IllegalStateException};
   * returns when the engine has ended. Closing twice is allowed.
   */
  @Override
  public void close() {
    loaded.close();
  }
}
