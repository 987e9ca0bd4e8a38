package dev.murmuration.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.server.RewardServer;
import dev.murmuration.server.ServedModel;
import dev.murmuration.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.WebElement;

/** A server with the embedded model, a browser that opens its page, and the model itself beside. */
abstract class PageTestBase {
  static final String EGG = "How do I boil an egg?";
  static final String GOOD =
      "Put the egg in boiling water for about eight minutes, then cool it in cold water before"
          + " peeling.";
  static final String BAD = "I do not care.";

  @TempDir static Path folder;
  static RewardModel model;
  static RewardServer server;
  static Browser browser;

  @BeforeAll
  static void start() throws Exception {
    model = RewardModel.loadEmbedded();
    server = serve(ServerOptions.LOCAL);
    browser = new Browser(folder);
  }

  @AfterAll
  static void stop() {
    browser.close();
    server.close();
    model.close();
  }

  static RewardServer serve(ServerOptions options, String... names) throws IOException {
    List<ServedModel> models = new ArrayList<>();
    for (String name : names.length == 0 ? new String[] {"fledgling"} : names) {
      models.add(new ServedModel(name, RewardModel::loadEmbedded));
    }
    return new RewardServer(options, models, _ -> {});
  }

  @BeforeEach
  void open() {
    browser.open(server.url());
    browser.waitFor("document.querySelectorAll('#ranking li').length === 3");
  }

  @AfterEach
  void nothingWasComplainedOf() {
    assertThat(browser.complaints()).isEmpty();
  }

  /** Types a prompt and as many responses, and waits until they are ranked. */
  static void compare(String prompt, String... responses) {
    while (browser.all("#cards .card").size() > responses.length) {
      browser.one("#cards .card .remove").click();
    }
    while (browser.all("#cards .card").size() < responses.length) {
      browser.one("#add").click();
    }
    List<WebElement> texts = browser.all("#cards textarea");
    for (int i = 0; i < responses.length; i++) {
      browser.type(texts.get(i), responses[i]);
    }
    browser.type(browser.one("#prompt"), prompt);
    waitUntilRanked(prompt, responses);
  }

  /** Waits until the rewards that are shown are those of these texts. */
  static void waitUntilRanked(String prompt, String... responses) {
    List<String> expected =
        model.rank(prompt, List.of(responses)).entries().stream()
            .map(entry -> shown(entry.reward().reward()))
            .toList();
    browser.waitFor(
        "[...document.querySelectorAll('#ranking .reward')].map(e => e.textContent).join() ==="
            + " a[0]",
        String.join(",", expected));
  }

  /** Waits until each card has the heat map of its text. */
  static void waitUntilTraced() {
    browser.waitFor(
        "!document.querySelector('.stale') && [...document.querySelectorAll('#cards .heat')]"
            + ".every(heat => !heat.hidden && heat.querySelector('.token'))");
  }

  /** A reward as the page shows it. */
  static String shown(double reward) {
    String text = String.format(Locale.ROOT, "%+.3f", (float) reward);
    return text.replace('-', '−');
  }
}
