package dev.murmuration.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** A text of a wave: tokens that are computed once, for all requests that ask for just these. */
final class Text {
  private final int[] tokens;
  private final boolean everyToken;
  private final List<Request> requests = new ArrayList<>();

  private Text(Request request) {
    tokens = request.tokens();
    everyToken = request.everyToken();
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

  List<Request> requests() {
    return requests;
  }

  /** Whether somebody waits for an answer. */
  boolean isWanted() {
    return requests.stream().anyMatch(Request::isLive);
  }
}
