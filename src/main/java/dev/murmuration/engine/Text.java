package dev.murmuration.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** A text of a wave: requests with equal tokens, and what is known of their rewards. */
final class Text {
  private final int[] tokens;
  private final boolean everyToken;
  private final List<Request> requests = new ArrayList<>();

  /** One, or one a token; NaN where it is not computed yet. */
  private final double[] rewards;

  private boolean answered;
  private boolean spoilt;

  private Text(Request request) {
    tokens = request.tokens();
    everyToken = request.everyToken();
    rewards = new double[everyToken ? tokens.length : 1];
    Arrays.fill(rewards, Double.NaN);
  }

  /** Requests in the order of their tokens, so that those which begin alike stand together. */
  static List<Request> sorted(List<Request> requests) {
    return requests.stream()
        .sorted(Comparator.comparing(Request::tokens, Arrays::compare))
        .toList();
  }

  /** The different texts of some requests, in the order of their tokens. */
  static List<Text> distinct(List<Request> requests) {
    List<Text> texts = new ArrayList<>();
    for (Request request : sorted(requests)) {
      if (texts.isEmpty() || !Arrays.equals(texts.getLast().tokens, request.tokens())) {
        texts.add(new Text(request));
      }
      texts.getLast().requests.add(request);
    }
    return texts;
  }

  int[] tokens() {
    return tokens;
  }

  int length() {
    return tokens.length;
  }

  /** Whether the reward at every token is asked for, or at the last one alone. */
  boolean everyToken() {
    return everyToken;
  }

  /** Whether somebody waits for an answer. */
  boolean isLive() {
    return !answered && requests.stream().anyMatch(Request::isLive);
  }

  /** Notes the reward at a token, if it is asked for. */
  void know(int position, double reward) {
    if (everyToken || position == tokens.length - 1) {
      rewards[everyToken ? position : 0] = reward;
      spoilt |= !Double.isFinite(reward);
    }
  }

  /** Whether the model has computed NaN or an infinity for it. */
  boolean isSpoilt() {
    return spoilt;
  }

  /** Whether all rewards are there, and none is NaN or infinite. */
  boolean isComplete() {
    return Arrays.stream(rewards).allMatch(Double::isFinite);
  }

  /** The reward at the last token; NaN if it is not known. */
  double lastReward() {
    return rewards[rewards.length - 1];
  }

  /** Answers the requests with the rewards as they are. */
  void answer() {
    answered = true;
    for (Request request : requests) {
      request.complete(rewards);
    }
  }

  /** Answers them with a failure. */
  void fail(Throwable failure) {
    answered = true;
    for (Request request : requests) {
      request.fail(failure);
    }
  }
}
