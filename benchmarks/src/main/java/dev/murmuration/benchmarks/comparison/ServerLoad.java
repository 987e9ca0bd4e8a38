package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.benchmarks.Texts;
import dev.murmuration.llama.CompilerThreads;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code murmur serve} under load, with the embedded model: what it gets done beside {@code
 * scoreAll} of the same texts, how long answers take at half of that, and what happens beyond what
 * it can do. Every reward is compared. Arguments: the server's port, its process id, seconds,
 * connections, responses a request.
 */
final class ServerLoad {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PROMPT_WORDS = 40;
  private static final int RESPONSE_WORDS = 24;

  /** What scoreAll is measured with is compiled by then; so is the server. */
  private static final int WARM_UP_SECONDS = 15;

  private final int port;
  private final long process;
  private final int seconds;
  private final int connections;
  private final int responses;
  private final Texts texts = new Texts(20261126);

  /** A request, and the rewards that it has to be answered with. */
  private record Task(String body, String pairs, List<Conversation> inputs) {}

  /** What came of a phase. */
  private record Phase(double seconds, int answered, int refused, int wrong, double[] latencies) {
    double rate() {
      return answered / seconds;
    }

    double percentile(double share) {
      return latencies.length == 0
          ? Double.NaN
          : latencies[(int) Math.min(latencies.length - 1, share * latencies.length)];
    }
  }

  private ServerLoad(int port, long process, int seconds, int connections, int responses) {
    this.port = port;
    this.process = process;
    this.seconds = seconds;
    this.connections = connections;
    this.responses = responses;
  }

  public static void main(String[] args) throws Exception {
    int[] numbers = Arrays.stream(args).mapToInt(Integer::parseInt).toArray();
    new ServerLoad(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]).run();
  }

  private void run() throws Exception {
    List<Task> some = tasks(2048 / responses);
    double alone;
    List<Task> tasks;
    List<float[]> rewards;
    try (RewardModel model = RewardModel.loadEmbedded(RewardModelOptions.defaults().reuse(false))) {
      scoreAll(model, some, new ArrayList<>());
      alone = scoreAll(model, tasks(2048 / responses), new ArrayList<>());
      tasks = tasks((int) ((1.6 * seconds + WARM_UP_SECONDS) * alone));
      rewards = new ArrayList<>();
      alone = scoreAll(model, tasks, rewards);
    }
    System.out.printf(
        Locale.ROOT,
        "scoreAll: %.1f requests of %d texts a second (%d requests)%n",
        alone,
        responses,
        tasks.size());
    // The server's does, too; this program must not take the cores that the server computes with.
    CompilerThreads.giveWay();
    long first = residentMebibytes();
    int warm = (int) (WARM_UP_SECONDS * alone);
    print("warming up", load("/v1/rewards", tasks.subList(0, warm), rewards, 0, WARM_UP_SECONDS));
    // A server that is faster than scoreAll has enough to do as well.
    int most = warm + (tasks.size() - warm) * 3 / 4;
    Phase full =
        load("/v1/rewards", tasks.subList(warm, most), rewards.subList(warm, most), 0, seconds);
    print("full load", full);
    Phase quiet =
        load(
            "/v1/rewards",
            tasks.subList(most, tasks.size()),
            rewards.subList(most, rewards.size()),
            full.rate() / 2,
            seconds / 2);
    print("half of that", quiet);
    System.out.printf(
        Locale.ROOT, "  p99 / p50: %.1f%n", quiet.percentile(0.99) / quiet.percentile(0.5));
    beyond(tasks, rewards, first);
    double behind;
    try (RewardModel model = RewardModel.loadEmbedded(RewardModelOptions.defaults().reuse(false))) {
      behind = scoreAll(model, tasks.subList(0, warm), new ArrayList<>());
    }
    System.out.printf(
        Locale.ROOT,
        "scoreAll again: %.1f requests of %d texts a second; full load of scoreAll before and"
            + " behind: %.2f and %.2f%n",
        behind,
        responses,
        full.rate() / alone,
        full.rate() / behind);
  }

  private List<Task> tasks(int count) {
    List<Task> tasks = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      String prompt = texts.words(PROMPT_WORDS);
      List<String> given = new ArrayList<>();
      List<Conversation> inputs = new ArrayList<>();
      for (int j = 0; j < responses; j++) {
        String response = texts.words(RESPONSE_WORDS + j);
        given.add(response);
        inputs.add(Input.of(prompt, response));
      }
      ObjectNode body = JSON.createObjectNode().put("prompt", prompt);
      given.forEach(body.putArray("responses")::add);
      ObjectNode pairs = JSON.createObjectNode().put("text_1", prompt);
      given.forEach(pairs.putArray("text_2")::add);
      tasks.add(new Task(body.toString(), pairs.toString(), inputs));
    }
    return tasks;
  }

  /** Requests a second, as many at once as there are connections. */
  private double scoreAll(RewardModel model, List<Task> tasks, List<float[]> rewards) {
    long start = System.nanoTime();
    for (int from = 0; from < tasks.size(); from += connections) {
      List<Task> some = tasks.subList(from, Math.min(tasks.size(), from + connections));
      List<Reward> all =
          model.scoreAll(some.stream().flatMap(task -> task.inputs().stream()).toList());
      for (int i = 0; i < some.size(); i++) {
        float[] own = new float[responses];
        for (int j = 0; j < responses; j++) {
          own[j] = (float) all.get(i * responses + j).reward();
        }
        rewards.add(own);
      }
    }
    return tasks.size() / ((System.nanoTime() - start) / 1e9);
  }

  /**
   * Asks on all connections.
   *
   * @param rate requests a second, or 0 for as many as there are answers
   */
  private Phase load(String path, List<Task> tasks, List<float[]> rewards, double rate, int most)
      throws Exception {
    AtomicInteger next = new AtomicInteger();
    LongAdder answered = new LongAdder();
    LongAdder refused = new LongAdder();
    LongAdder wrong = new LongAdder();
    ConcurrentLinkedQueue<Double> latencies = new ConcurrentLinkedQueue<>();
    CountDownLatch ended = new CountDownLatch(connections);
    long start = System.nanoTime();
    for (int c = 0; c < connections; c++) {
      Thread.ofVirtual()
          .start(
              () -> {
                try (LoadConnection connection = new LoadConnection(port)) {
                  for (int i = next.getAndIncrement();
                      i < tasks.size();
                      i = next.getAndIncrement()) {
                    long due = start + (rate == 0 ? 0 : (long) (i / rate * 1e9));
                    while (rate > 0 && System.nanoTime() < due) {
                      LockSupport.parkNanos(due - System.nanoTime());
                    }
                    long asked = rate == 0 ? System.nanoTime() : due;
                    if (asked - start > most * 1_000_000_000L) {
                      break;
                    }
                    Task task = tasks.get(i);
                    LoadConnection.Answer answer =
                        connection.post(path, path.equals("/score") ? task.pairs() : task.body());
                    latencies.add((System.nanoTime() - asked) / 1e6);
                    if (answer.status() == 200) {
                      answered.increment();
                      if (!isRight(answer.body(), rewards.get(i))) {
                        wrong.increment();
                      }
                    } else {
                      refused.increment();
                    }
                  }
                } catch (IOException e) {
                  System.out.println("failed: " + e);
                  wrong.increment();
                } finally {
                  ended.countDown();
                }
              });
    }
    ended.await();
    double took = (System.nanoTime() - start) / 1e9;
    return new Phase(
        took,
        answered.intValue(),
        refused.intValue(),
        wrong.intValue(),
        latencies.stream().mapToDouble(d -> d).sorted().toArray());
  }

  private static boolean isRight(String body, float[] rewards) throws IOException {
    JsonNode data = JSON.readTree(body).get("data");
    for (int i = 0; i < rewards.length; i++) {
      JsonNode item = data.get(i);
      JsonNode reward = item.has("reward") ? item.get("reward") : item.get("score");
      if (reward.floatValue() != rewards[i]) {
        return false;
      }
    }
    return data.size() == rewards.length;
  }

  /** Many times as many connections as at full load, on a route that refuses. */
  private void beyond(List<Task> tasks, List<float[]> rewards, long first) throws Exception {
    long before = residentMebibytes();
    ServerLoad crowd =
        new ServerLoad(port, process, seconds, Math.min(900, 12 * connections), responses);
    Phase phase = crowd.load("/score", tasks, rewards, 0, Math.min(seconds, 10));
    print("beyond, " + crowd.connections + " connections", phase);
    long start = System.nanoTime();
    try (LoadConnection connection = new LoadConnection(port)) {
      int status = connection.post("/v1/rewards", tasks.getFirst().body()).status();
      System.out.printf(
          Locale.ROOT,
          "  then: %d after %.0f ms; resident %d MiB before, %d MiB behind (%d MiB at first)%n",
          status,
          (System.nanoTime() - start) / 1e6,
          before,
          residentMebibytes(),
          first);
    }
  }

  private long residentMebibytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + process + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
      }
    }
    return 0;
  }

  private static void print(String name, Phase phase) {
    System.out.printf(
        Locale.ROOT,
        "%s: %.1f requests a second for %.0f s, %d refused, %d wrong; p50 %.1f ms, p99 %.1f ms%n",
        name,
        phase.rate(),
        phase.seconds(),
        phase.refused(),
        phase.wrong(),
        phase.percentile(0.5),
        phase.percentile(0.99));
  }
}
