package dev.murmuration.server;

import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.NonFiniteRewardException;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardTrace;
import dev.murmuration.reward.ScoringTimeoutException;
import dev.murmuration.server.protocol.Question;
import dev.murmuration.server.protocol.Scored.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The rewards of one request: asked for together, and withdrawn together if nobody waits any more.
 */
final class Scoring implements AutoCloseable {
  private final List<CompletableFuture<Result>> results;
  private final List<? extends CompletableFuture<?>> asked;

  private Scoring(
      List<? extends CompletableFuture<?>> asked, List<CompletableFuture<Result>> results) {
    this.asked = asked;
    this.results = results;
  }

  /** Asks for them. */
  static Scoring of(RewardModel model, Question.Score question, CallOptions options) {
    if (!question.traces()) {
      List<CompletableFuture<Reward>> asked = model.submitAll(question.inputs(), options);
      return new Scoring(
          asked,
          asked.stream()
              .map(one -> one.thenApply(reward -> new Result(reward, null, null)))
              .toList());
    }
    List<CompletableFuture<RewardTrace>> asked = new ArrayList<>();
    try {
      question.inputs().forEach(input -> asked.add(model.submitTrace(input, options)));
    } catch (RuntimeException | Error e) {
      asked.forEach(one -> one.cancel(false));
      throw e;
    }
    return new Scoring(
        asked,
        asked.stream()
            .map(one -> one.thenApply(trace -> new Result(trace.reward(), trace, null)))
            .toList());
  }

  /**
   * Waits for all.
   *
   * @throws ScoringTimeoutException if it takes too long
   */
  List<Result> await() throws InterruptedException {
    List<Result> all = new ArrayList<>(results.size());
    for (CompletableFuture<Result> one : results) {
      all.add(await(one));
    }
    return all;
  }

  private static Result await(CompletableFuture<Result> one) throws InterruptedException {
    try {
      return one.get();
    } catch (ExecutionException e) {
      return switch (e.getCause()) {
        case NonFiniteRewardException notFinite -> new Result(null, null, notFinite);
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException(e.getCause());
      };
    }
  }

  /** The places of results, in the order in which they become known. */
  BlockingQueue<Integer> order() {
    BlockingQueue<Integer> order = new LinkedBlockingQueue<>();
    for (int i = 0; i < results.size(); i++) {
      int index = i;
      var _ = results.get(i).whenComplete((_, _) -> order.add(index));
    }
    return order;
  }

  /** One that is known, or why it is not. */
  Result result(int index) throws InterruptedException {
    try {
      return await(results.get(index));
    } catch (RuntimeException e) {
      return new Result(null, null, e);
    }
  }

  /** Withdraws what is not known yet. */
  @Override
  public void close() {
    asked.forEach(one -> one.cancel(false));
  }
}
