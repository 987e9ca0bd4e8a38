package dev.murmuration.reward;

import dev.murmuration.engine.Completion;
import dev.murmuration.engine.Deadline;
import dev.murmuration.engine.Engine;
import dev.murmuration.engine.Request;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.TextRules;
import dev.murmuration.reward.TextEncoder.Tokens;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A model in memory, ready to score: what a {@link RewardModel} does, which documents the calls.
 * From inputs to requests of the engine, and from rewards to results, with waiting and without. Any
 * thread may call.
 */
final class LoadedModel implements AutoCloseable {
  private final LlamaModel model;
  private final Engine engine;
  private final Settings settings;
  private final TextEncoder encoder;
  private final TextEncoder literalEncoder;
  private final AtomicBoolean closed;

  /** What is known about a model. {@code timeout} is null when there is none. */
  record Settings(
      String name,
      ChatTemplate template,
      ReadoutRule readout,
      Precision precision,
      int contextLength,
      boolean truncate,
      boolean literal,
      TextRules rules,
      Duration timeout,
      Path file,
      int threads,
      int microBatchSize,
      ModelSize size) {}

  /** Takes over model and engine, which {@link #close} closes. */
  LoadedModel(LlamaModel model, Engine engine, Settings settings) {
    this.model = model;
    this.engine = engine;
    this.settings = settings;
    this.encoder = encoder(false);
    this.literalEncoder = encoder(true);
    this.closed = LeakReport.of(this, settings.name());
  }

  private TextEncoder encoder(boolean literal) {
    return new TextEncoder(
        model.vocabulary(),
        settings.rules(),
        settings.template(),
        settings.contextLength(),
        settings.truncate(),
        literal);
  }

  private TextEncoder encoder(CallOptions options) {
    return options.literal().orElse(settings.literal()) ? literalEncoder : encoder;
  }

  Settings settings() {
    return settings;
  }

  Reward score(Input input, CallOptions options) {
    Deadline deadline = deadline(options);
    return now(scored(input, options, deadline), options, deadline);
  }

  RewardTrace trace(Input input, CallOptions options) {
    Deadline deadline = deadline(options);
    return now(traced(input, options, deadline), options, deadline);
  }

  CompletableFuture<Reward> submit(Input input, CallOptions options) {
    Deadline deadline = deadline(options);
    return later(() -> scored(input, options, deadline), options, deadline);
  }

  CompletableFuture<RewardTrace> submitTrace(Input input, CallOptions options) {
    Deadline deadline = deadline(options);
    return later(() -> traced(input, options, deadline), options, deadline);
  }

  List<Reward> scoreAll(List<? extends Input> inputs, CallOptions options) {
    Deadline deadline = deadline(options);
    List<Tokens> tokens = encodeAll(inputs, options, deadline);
    List<Request> requests = tokens.stream().map(one -> new Request(computed(one), false)).toList();
    engine.submit(requests, deadline, options.waits());
    List<Reward> rewards = new ArrayList<>(inputs.size());
    NonFiniteRewardException notFinite = null;
    try {
      for (int i = 0; i < inputs.size(); i++) {
        try {
          rewards.add(reward(tokens.get(i), engine.await(requests.get(i), deadline)));
        } catch (NonFiniteRewardException e) {
          notFinite = notFinite == null ? e : notFinite;
          rewards.add(null);
        }
      }
    } catch (RuntimeException | Error e) {
      // Nobody waits for the others any longer, so they need not be computed.
      requests.forEach(request -> engine.withdraw(request, e));
      throw e;
    }
    if (notFinite != null) {
      throw inputs.size() == 1 ? notFinite : new NonFiniteRewardException(rewards, notFinite);
    }
    return rewards;
  }

  Ranking rank(String prompt, List<String> responses, CallOptions options) {
    if (responses.isEmpty()) {
      throw new IllegalArgumentException("there are no responses to rank; give one or more");
    }
    List<Conversation> inputs =
        responses.stream().map(response -> Input.of(prompt, response)).toList();
    return Ranking.of(responses, scoreAll(inputs, options));
  }

  List<CompletableFuture<Reward>> submitAll(List<? extends Input> inputs, CallOptions options) {
    Deadline deadline = deadline(options);
    try {
      List<Completion<Reward>> completions =
          encodeAll(inputs, options, deadline).stream()
              .map(one -> new Completion<>(computed(one), false, rewards -> reward(one, rewards)))
              .toList();
      engine.submit(
          completions.stream().map(Completion::request).toList(), deadline, options.waits());
      return completions.stream().map(one -> one.future(engine, deadline)).toList();
    } catch (ScoringTimeoutException e) {
      return inputs.stream().map(_ -> CompletableFuture.<Reward>failedFuture(e)).toList();
    }
  }

  TokenIds tokenize(Input input, CallOptions options) {
    Deadline deadline = deadline(options);
    requireOpen();
    return new TokenIds(encoder(options).encodeWhole(input, deadline));
  }

  List<String> texts(TokenIds tokens) {
    requireOpen();
    int[] ids = encoder.known(tokens.ids());
    return TokenTexts.steps(model.vocabulary(), ids, new double[ids.length]).stream()
        .map(RewardTrace.Step::text)
        .toList();
  }

  ScoringCost explain(List<? extends Input> inputs, CallOptions options) {
    List<Tokens> tokens = encodeAll(inputs, options, deadline(options));
    return ScoringCost.of(engine.explain(tokens.stream().map(this::computed).toList()));
  }

  ScoringStatistics statistics() {
    return ScoringStatistics.of(engine.tally());
  }

  int queueLength() {
    return engine.queueLength();
  }

  boolean isOpen() {
    return !closed.get() && engine.isOpen();
  }

  /** Returns when the engine has ended; twice is allowed. */
  @Override
  public void close() {
    closed.set(true);
    engine.close();
    encoder.close();
    literalEncoder.close();
    model.close();
  }

  // ---- from an input to a request, and from its rewards to a result ----

  /**
   * What is computed for an input: one reward or one for each token, and how they become the
   * result. Never compared.
   */
  @SuppressWarnings("ArrayRecordComponent")
  private record Work<T>(int[] tokens, boolean everyToken, Function<double[], T> result) {}

  private Work<Reward> scored(Input input, CallOptions options, Deadline deadline) {
    Tokens tokens = encodeAll(List.of(input), options, deadline).getFirst();
    return new Work<>(computed(tokens), false, rewards -> reward(tokens, rewards));
  }

  private Work<RewardTrace> traced(Input input, CallOptions options, Deadline deadline) {
    if (settings.readout() instanceof ReadoutRule.Published) {
      throw new IllegalStateException(
          "the read-out published reads a padding token behind the text, so there is no reward at"
              + " the text's own tokens to trace; load the model with readout(LAST_TOKEN)");
    }
    Tokens tokens = encodeAll(List.of(input), options, deadline).getFirst();
    int responseStart = encoder(options).responseStart(input, tokens, options, deadline);
    return new Work<>(
        tokens.ids(),
        true,
        rewards ->
            new RewardTrace(
                reward(tokens, rewards),
                responseStart,
                TokenTexts.steps(model.vocabulary(), tokens.ids(), rewards)));
  }

  private List<Tokens> encodeAll(
      List<? extends Input> inputs, CallOptions options, Deadline deadline) {
    requireOpen();
    List<Tokens> all = encoder(options).encodeAll(inputs, options, deadline);
    long total = all.stream().mapToLong(one -> one.ids().length).sum();
    if (total > options.totalTokens()) {
      throw new IllegalArgumentException(
          "the texts have "
              + total
              + " tokens together, the limit of a call is "
              + options.totalTokens()
              + "; score fewer at once, or shorter ones");
    }
    return all;
  }

  /** What of a text the engine has to compute for its reward alone. */
  private int[] computed(Tokens tokens) {
    return settings.readout().computed(tokens.ids());
  }

  /**
   * @param rewards one, or one a token
   */
  private Reward reward(Tokens tokens, double[] rewards) {
    int[] ids = tokens.ids();
    if (!Arrays.stream(rewards).allMatch(Double::isFinite)) {
      throw new NonFiniteRewardException(ids.length, settings.precision() == Precision.EXACT);
    }
    int position = settings.readout().position(ids);
    return new Reward(
        rewards[Math.min(position, rewards.length - 1)],
        ids.length,
        tokens.truncated(),
        Readout.of(settings.readout()),
        position,
        settings.readout().tokenId(ids),
        tokens.template(),
        settings.precision(),
        settings.name(),
        Version.build());
  }

  // ---- waiting ----

  private <T> T now(Work<T> work, CallOptions options, Deadline deadline) {
    Request request = new Request(work.tokens(), work.everyToken());
    engine.submit(List.of(request), deadline, options.waits());
    return work.result().apply(engine.await(request, deadline));
  }

  private <T> CompletableFuture<T> later(
      Supplier<Work<T>> work, CallOptions options, Deadline deadline) {
    try {
      Work<T> ready = work.get();
      var completion = new Completion<>(ready.tokens(), ready.everyToken(), ready.result());
      engine.submit(List.of(completion.request()), deadline, options.waits());
      return completion.future(engine, deadline);
    } catch (ScoringTimeoutException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private Deadline deadline(CallOptions options) {
    return Deadline.after(
        options.timeout().orElse(settings.timeout()), ScoringTimeoutException::new);
  }

  private void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException("the reward model is closed");
    }
  }
}
