package dev.murmuration.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.TokenIds;
import dev.murmuration.server.protocol.Endpoint;
import dev.murmuration.server.protocol.Question;
import dev.murmuration.server.protocol.RequestFailure;
import dev.murmuration.server.protocol.RequestJson;
import dev.murmuration.server.protocol.Scored;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;

/** Answers the requests of the endpoints. Any thread may use it. */
final class ScoreHandler {
  /** The rewards of every token of a text fill a hundred kilobytes. */
  private static final int MOST_TRACES = 64;

  private final ModelList models;
  private final Limits limits;
  private final Bodies bodies;
  private final Answers answers;
  private final IgnoredFields ignored;
  private final Revival revival;

  ScoreHandler(
      ModelList models,
      Limits limits,
      Bodies bodies,
      Answers answers,
      IgnoredFields ignored,
      Revival revival) {
    this.models = models;
    this.limits = limits;
    this.bodies = bodies;
    this.answers = answers;
    this.ignored = ignored;
    this.revival = revival;
  }

  /** A request while it is worked on: what is known of it when it fails. */
  static final class Progress {
    /** Its body, as soon as it is read. */
    ObjectNode body;

    /** Whether it has a time limit of its own. */
    boolean ownTimeout;

    /** Whether a part of the answer is on its way. */
    boolean begun;
  }

  /** Answers a request. */
  void handle(Endpoint endpoint, ServerRequest request, ServerResponse response, Progress progress)
      throws InterruptedException, IOException {
    try (Bodies.Room _ = bodies.room(request, limits.deadline().toSeconds())) {
      byte[] bytes = bodies.read(request);
      WatchedConnection.current().working();
      progress.body = RequestJson.parse(bytes);
      Question question =
          endpoint.protocol().read(progress.body, names -> ignored.note(endpoint.name(), names));
      progress.ownTimeout = ownTimeout(question.options());
      ServedModel served = models.get(question.model());
      CallOptions options = options(endpoint, question.options());
      switch (question) {
        case Question.Tokens tokens -> tokens(served.model(), tokens, options, response);
        case Question.Cost cost -> cost(served, cost, options, response);
        case Question.Score score -> score(served, score, options, response, progress);
      }
    }
  }

  private CallOptions options(Endpoint endpoint, CallOptions wanted) {
    CallOptions options = wanted.totalTokens(limits.tokens());
    options = endpoint.waits() ? options : options.waits(false);
    return ownTimeout(wanted) ? options : options.timeout(limits.deadline());
  }

  /** Whether a request has a time limit of its own, below the server's. */
  private boolean ownTimeout(CallOptions wanted) {
    return wanted.timeout().filter(own -> own.compareTo(limits.deadline()) < 0).isPresent();
  }

  private void requireFew(int texts, boolean traces) {
    int most = traces ? Math.min(MOST_TRACES, limits.texts()) : limits.texts();
    if (texts > most) {
      throw RequestFailure.of(
          413,
          "the request has "
              + texts
              + " texts, the limit is "
              + most
              + (traces ? " where every token's reward is asked for" : "")
              + "; send them in several requests"
              + (traces ? "" : ", or start the server with a larger --max-texts"));
    }
  }

  private void tokens(
      RewardModel model, Question.Tokens question, CallOptions options, ServerResponse response) {
    TokenIds tokens = model.tokenize(question.input(), options);
    List<Integer> ids = Arrays.stream(tokens.ids()).boxed().toList();
    answers.send(
        response,
        200,
        question
            .answer()
            .apply(new Question.TokenizedText(ids, model.texts(tokens), model.contextLength())));
  }

  private void cost(
      ServedModel served, Question.Cost question, CallOptions options, ServerResponse response) {
    requireFew(question.inputs().size(), false);
    RewardModel model = served.model();
    JsonNode answer =
        question
            .answer()
            .apply(scored(served, model, List.of()), model.explain(question.inputs(), options));
    answers.send(response, 200, answer);
  }

  private static Scored scored(ServedModel served, RewardModel model, List<Scored.Result> results) {
    return new Scored(
        UUID.randomUUID().toString().replace("-", ""),
        System.currentTimeMillis() / 1000,
        served.name(),
        new Scored.About(
            model.template().name(),
            model.precision().label(),
            model.readout().label(),
            dev.murmuration.reward.Version.build()),
        results);
  }

  private void score(
      ServedModel served,
      Question.Score question,
      CallOptions options,
      ServerResponse response,
      Progress progress)
      throws InterruptedException, IOException {
    requireFew(question.inputs().size(), question.traces());
    RewardModel model = served.model();
    try {
      score(served, model, question, options, response, progress);
    } catch (IllegalStateException e) {
      if (model.isOpen()) {
        // Such as a trace of a read-out that has none.
        throw RequestFailure.of(400, e.getMessage(), e);
      }
      // Its engine has ended. What was not answered is asked again, once.
      if (progress.begun || !revival.revive(served, model, e)) {
        throw e;
      }
      again(served, question, options, response, progress);
    }
  }

  private void again(
      ServedModel served,
      Question.Score question,
      CallOptions options,
      ServerResponse response,
      Progress progress)
      throws InterruptedException, IOException {
    try {
      score(served, served.model(), question, options, response, progress);
    } catch (IllegalStateException e) {
      throw RequestFailure.of(
          503, "the engine of " + served.name() + " fails again and again; its log says why", e);
    }
  }

  private void score(
      ServedModel served,
      RewardModel model,
      Question.Score question,
      CallOptions options,
      ServerResponse response,
      Progress progress)
      throws InterruptedException, IOException {
    try (Scoring scoring = Scoring.of(model, question, options)) {
      if (question.stream() == null) {
        List<Scored.Result> results = scoring.await();
        answers.send(response, 200, question.answer().apply(scored(served, model, results)));
      } else {
        stream(served, model, question, scoring, response, progress);
      }
    }
  }

  private void stream(
      ServedModel served,
      RewardModel model,
      Question.Score question,
      Scoring scoring,
      ServerResponse response,
      Progress progress)
      throws InterruptedException, IOException {
    answers.head(response, 200, "application/x-ndjson");
    progress.begun = true;
    BlockingQueue<Integer> order = scoring.order();
    int count = question.inputs().size();
    Scored.Result[] results = new Scored.Result[count];
    // Not closed where it fails: the client would take what it has for all.
    OutputStream out = response.outputStream();
    for (int i = 0; i < count; i++) {
      int index = order.take();
      results[index] = scoring.result(index);
      write(out, question.stream().line(index, results[index]));
    }
    List<Scored.Result> all = new ArrayList<>(Arrays.asList(results));
    write(out, question.stream().end(scored(served, model, all)));
    WatchedConnection.current().writing();
    out.close();
  }

  private static void write(OutputStream out, JsonNode line) throws IOException {
    WatchedConnection.current().writing();
    out.write(RequestJson.bytes(line));
    out.write('\n');
    out.flush();
    WatchedConnection.current().working();
  }
}
