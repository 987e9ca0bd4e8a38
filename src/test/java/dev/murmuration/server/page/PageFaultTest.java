package dev.murmuration.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.reward.Readout;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.server.Limits;
import dev.murmuration.server.RewardServer;
import dev.murmuration.server.ServedModel;
import dev.murmuration.server.ServerOptions;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** What the page does when the server is away, wants a key, or has several models. */
@Tag("browser")
class PageFaultTest extends PageTestBase {
  private static ServerOptions options(int port, String key) {
    return new ServerOptions(
        "127.0.0.1",
        port,
        Optional.ofNullable(key),
        Optional.empty(),
        List.of(),
        List.of(),
        Limits.DEFAULTS);
  }

  @Test
  void aServerThatIsStartedAgainIsFoundAgain() throws Exception {
    int port;
    try (RewardServer first = serve(options(0, null))) {
      port = first.port();
      browser.open(first.url());
      browser.waitFor("document.querySelectorAll('#ranking li').length === 3");
    }
    browser.one("#prompt").sendKeys(" Quickly!");
    browser.waitFor("document.querySelector('#notice').innerText.includes('does not answer')");
    try (RewardServer _ = serve(options(port, null), "another")) {
      browser.waitFor("document.querySelector('#notice').hidden");
      browser.waitFor("document.querySelector('#model-name').textContent === 'another'");
      browser.waitFor("document.querySelector('#facts').textContent.includes('another')");
      assertThat(browser.one("#prompt").getDomProperty("value")).endsWith(" Quickly!");
      assertThat(browser.one("#about").isDisplayed()).isFalse();
      browser.driver().get("about:blank");
    }
    assertThat(browser.complaints()).allMatch(line -> line.contains("ERR_CONNECTION_REFUSED"));
  }

  @Test
  void aKeyIsAskedForAndKeptForThisTabOnly() throws Exception {
    try (RewardServer locked = serve(options(0, "secret-1"))) {
      browser.open(locked.url());
      browser.waitFor("document.querySelector('#key').open");
      browser.one("#key-text").sendKeys("wrong", Keys.ENTER);
      browser.waitFor(
          "document.querySelector('#key').open &&"
              + " document.querySelector('#key-problem').textContent.includes('not the key')");
      browser.one("#key-text").sendKeys("secret-1", Keys.ENTER);
      browser.waitFor("document.querySelectorAll('#ranking li').length === 3");
      browser.waitFor("document.querySelector('#model-name').textContent === 'fledgling'");
      assertThat(browser.run("return JSON.stringify(localStorage)").toString())
          .doesNotContain("secret-1");
      browser.driver().navigate().refresh();
      browser.waitFor("document.querySelectorAll('#ranking li').length === 3");
      assertThat(browser.run("return document.querySelector('#key').open")).isEqualTo(false);
      browser.driver().get("about:blank");
    }
    assertThat(browser.complaints()).allMatch(line -> line.contains("401"));
  }

  @Test
  void aKeyThatIsNotGivenIsNotAskedForAtEveryLetter() throws Exception {
    try (RewardServer locked = serve(options(0, "secret-1"))) {
      browser.open(locked.url());
      browser.waitFor("document.querySelector('#key').open");
      browser.one("#key-text").sendKeys(Keys.ESCAPE);
      browser.waitFor("!document.querySelector('#notice').hidden");
      browser.one("#prompt").sendKeys("?");
      browser.waitFor(
          "document.querySelector('#ranking-hint').textContent.includes('wants a key')");
      assertThat(browser.run("return document.querySelector('#key').open")).isEqualTo(false);
      browser.one("#notice button").click();
      browser.waitFor("document.querySelector('#key').open");
      browser.driver().get("about:blank");
    }
    assertThat(browser.complaints()).allMatch(line -> line.contains("401"));
  }

  @Test
  void oneOfSeveralModelsIsChosen() throws Exception {
    try (RewardServer several = serve(options(0, null), "one", "two")) {
      browser.open(several.url());
      browser.waitFor("document.querySelector('#facts').textContent.includes('one')");
      browser.waitFor("!document.querySelector('#model').hidden");
      browser.one("#model option[value=two]").click();
      browser.waitFor("document.querySelector('#facts').textContent.includes('two')");
      browser.driver().navigate().refresh();
      browser.waitFor("document.querySelector('#model').value === 'two'");
      browser.waitFor("document.querySelector('#facts').textContent.includes('two')");
      browser.driver().get("about:blank");
    }
  }

  /** Whoever serves texts that are not trusted has said so, and the page shows it. */
  @Test
  void marksStayTextWhereTheServerSaysSo() throws Exception {
    RewardModelOptions literal = RewardModelOptions.defaults().literal(true);
    ServedModel served = new ServedModel("fledgling", () -> RewardModel.loadEmbedded(literal));
    try (RewardServer other = new RewardServer(ServerOptions.LOCAL, List.of(served), _ -> {})) {
      browser.open(other.url());
      browser.waitFor("document.querySelector('#literal').disabled");
      assertThat(browser.one("#literal").isSelected()).isTrue();
      browser.driver().get("about:blank");
    }
  }

  /** Where no token of the text is read, there is nothing to colour, and the page says why. */
  @Test
  void aReadOutWithoutATraceHasRewardsAllTheSame() throws Exception {
    RewardModelOptions published = RewardModelOptions.defaults().readout(Readout.PUBLISHED);
    ServedModel served = new ServedModel("fledgling", () -> RewardModel.loadEmbedded(published));
    try (RewardServer other = new RewardServer(ServerOptions.LOCAL, List.of(served), _ -> {})) {
      browser.open(other.url());
      browser.waitFor("document.querySelectorAll('#ranking li').length === 3");
      browser.waitFor("document.querySelector('#facts').textContent.includes('published')");
      browser.waitFor(
          "[...document.querySelectorAll('.heat-problem')].every(e => e.textContent.startsWith('No"
              + " heat map: '))");
      browser.driver().get("about:blank");
    }
    assertThat(browser.complaints()).allMatch(line -> line.contains("400"));
  }

  @Test
  void aTextThatIsTooLongIsScoredWithAWarning() {
    String words = "egg water ".repeat(1500);
    compare(EGG, words + "\t", BAD);
    Reward reward = model.score(EGG, words + "\t");
    assertThat(reward.truncatedTokens()).isPositive();
    assertThat(browser.text("#cards .card .cut"))
        .contains(String.format(Locale.ROOT, "%,d tokens cut off", reward.truncatedTokens()));
  }

  /** The first question is never answered; the next one withdraws it. */
  @Test
  void aQuestionThatIsOutOfDateIsWithdrawn() {
    compare(EGG, BAD, "Maybe.");
    browser.run(
        """
        const usual = window.fetch;
        window.fetch = (address, options) => {
          window.fetch = usual;
          window.firstSignal = options.signal;
          return usual(address, options).then(() => new Promise((_, fail) =>
              options.signal.addEventListener("abort", () => fail(options.signal.reason))));
        };
        """);
    browser.one("#prompt").sendKeys("!");
    browser.waitFor("window.firstSignal !== undefined");
    assertThat(browser.run("return window.firstSignal.aborted")).isEqualTo(false);
    browser.one("#prompt").sendKeys("!");
    waitUntilRanked(EGG + "!!", BAD, "Maybe.");
    assertThat(browser.run("return window.firstSignal.aborted")).isEqualTo(true);
  }

  /** A text of another origin, or of a file that was made for it, becomes no markup. */
  @Test
  void textsAreTextsAndNeverMarkup() {
    String markup = "<img src=x onerror=\"document.title='run'\"><b>bold</b>";
    compare(EGG, markup, "Maybe.");
    browser.waitFor("document.querySelectorAll('.token').length > 10");
    assertThat(browser.all("main img, main b:not(.bar-track b)")).isEmpty();
    assertThat(browser.driver().getTitle()).isEqualTo("Murmuration");
  }
}
