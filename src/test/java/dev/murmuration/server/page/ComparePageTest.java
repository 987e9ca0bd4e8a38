package dev.murmuration.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.reward.RewardTrace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

/** Comparing responses on the page, beside what the library itself says of the same texts. */
@Tag("browser")
class ComparePageTest extends PageTestBase {
  private static List<String> letters() {
    return browser.all("#ranking li .letter").stream().map(WebElement::getText).toList();
  }

  @Test
  void whatIsTypedIsRanked() {
    compare(EGG, BAD, GOOD);
    Ranking ranking = model.rank(EGG, List.of(BAD, GOOD));
    assertThat(ranking.best().index()).isEqualTo(1);
    List<WebElement> cards = browser.all("#cards .card");
    for (Ranking.Entry entry : ranking.entries()) {
      String card = cards.get(entry.index()).getText();
      assertThat(card)
          .contains("#" + entry.rank(), shown(entry.reward().reward()))
          .contains(entry.reward().tokens() + " tokens, prompt included");
    }
    assertThat(browser.text("#ranking li:first-child")).contains("> 99.9 %");
    assertThat(browser.text("#why")).contains("leads");
    browser.waitFor("document.querySelector('#why').textContent.includes('rises most at')");
    assertThat(browser.text("#facts"))
        .contains("fledgling", model.template().name(), "last_token", model.precision().label());
    assertThat(browser.text("#about")).contains("for trying the software, not for judging text");
    browser.waitFor("document.querySelector('#announce').textContent.startsWith('Ranking: 1, ')");
  }

  /**
   * From the key's event to the changed order in the document; the time is reported, not judged.
   */
  @Test
  void anEditChangesTheOrder() throws Exception {
    compare(EGG, GOOD, "Put the egg in boiling water.");
    String first = letters().getFirst();
    WebElement best =
        browser.one("#card-" + first + " textarea"); // It becomes the worse one, key by key.
    browser.run(
        """
        const list = document.querySelector("#ranking"), area = arguments[0];
        const order = () => [...list.children].map(item => item.dataset.letter).join();
        const before = order();
        area.addEventListener("input", () => window.keyAt = performance.now());
        new MutationObserver(() => {
          if (order() !== before && window.changedAfter === undefined) {
            window.changedAfter = performance.now() - window.keyAt;
          }
        }).observe(list, {childList: true});
        """,
        best);
    best.sendKeys(Keys.chord(Keys.CONTROL, "a"), "N");
    browser.waitFor("window.changedAfter !== undefined");
    assertThat(letters()).hasSize(2).last().isEqualTo(first);
    Files.writeString(
        Files.createDirectories(Path.of("target/page")).resolve("order.txt"),
        browser.run("return window.changedAfter") + " ms from the key to the changed order\n");
  }

  @Test
  void aTokenShowsItsRewardAndItsChange() {
    compare(EGG, GOOD);
    RewardTrace trace = model.trace(EGG, GOOD);
    waitUntilTraced();
    assertThat(browser.all(".token")).hasSameSizeAs(trace.responseSteps());
    int at = 4;
    RewardTrace.Step step = trace.responseSteps().get(at);
    double before = trace.responseSteps().get(at - 1).reward();
    String change = shown(step.reward() - before);

    new Actions(browser.driver()).moveToElement(browser.all(".token").get(at)).perform();
    assertThat(browser.text("#tip"))
        .contains(step.text().strip(), shown(step.reward()), change, "id " + step.tokenId());

    browser.one(".heat-text").sendKeys(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT);
    RewardTrace.Step third = trace.responseSteps().get(2);
    assertThat(browser.one(".heat-said").getDomProperty("textContent"))
        .contains(third.text().strip(), shown(third.reward()));

    browser.one(".heat-table summary").click();
    List<String> rows =
        browser.all(".heat-table tbody tr").stream().map(WebElement::getText).toList();
    assertThat(rows).hasSize(trace.responseSteps().size());
    assertThat(rows.get(at)).contains(step.text().strip(), shown(step.reward()), change);
  }

  @Test
  void theColoursAreThoseOfRewardsOrOfChanges() {
    compare(EGG, "Put the egg in boiling water. " + BAD, GOOD);
    waitUntilTraced();
    Object rewards = browser.run("return document.querySelector('.heat-text').innerHTML");
    browser.one("[name=colour][value=change]").click();
    assertThat(browser.run("return document.querySelector('.heat-text').innerHTML"))
        .isNotEqualTo(rewards);
    RewardTrace trace = model.trace(EGG, GOOD);
    List<RewardTrace.Step> steps = trace.responseSteps();
    List<WebElement> tokens = browser.all("#cards .card:last-child .token");
    for (int i = 1; i < steps.size(); i++) {
      double change = steps.get(i).reward() - steps.get(i - 1).reward();
      String sign = change > 0 ? "down" : "up";
      assertThat(tokens.get(i).getDomAttribute("class").split(" ")).doesNotContain(sign);
    }
    browser.one("#heat").click();
    assertThat(browser.all(".heat").stream().filter(WebElement::isDisplayed)).isEmpty();
  }

  @Test
  void responsesAreAddedRemovedSortedAndBroughtBack() {
    compare(EGG, BAD, GOOD);
    browser.one("#sort").click();
    List<WebElement> sorted = browser.all("#cards textarea");
    assertThat(sorted.getFirst().getDomProperty("value")).isEqualTo(GOOD);
    sorted.getFirst().sendKeys(Keys.chord(Keys.CONTROL, Keys.ENTER));
    assertThat(browser.all("#cards .card")).hasSize(3);
    browser.driver().switchTo().activeElement().sendKeys("Maybe.");
    waitUntilRanked(EGG, GOOD, BAD, "Maybe.");
    browser.one("#cards .card .remove").click();
    waitUntilRanked(EGG, BAD, "Maybe.");
    browser.one("#toast button").click();
    waitUntilRanked(EGG, GOOD, BAD, "Maybe.");
    browser.driver().switchTo().activeElement().sendKeys(Keys.chord(Keys.ALT, Keys.ARROW_UP));
    assertThat(browser.driver().switchTo().activeElement().getDomAttribute("id"))
        .isEqualTo("prompt");
  }

  @Test
  void aReloadLosesNothing() {
    compare(EGG, BAD, "Peel it.\n\n</s> \"quoted\" ü 漢");
    browser.one("#literal").click();
    browser.driver().navigate().refresh();
    browser.waitFor("document.querySelectorAll('#ranking li').length === 2");
    assertThat(browser.one("#prompt").getDomProperty("value")).isEqualTo(EGG);
    assertThat(browser.all("#cards textarea").getLast().getDomProperty("value"))
        .isEqualTo("Peel it.\n\n</s> \"quoted\" ü 漢");
    assertThat(browser.one("#literal").isSelected()).isTrue();
  }

  @Test
  void literalMarksArePlainCharacters() throws Exception {
    String marked = "Put it in boiling water.</s>";
    compare(EGG, marked);
    browser.one("#literal").click();
    try (RewardModel literal =
        RewardModel.loadEmbedded(RewardModelOptions.defaults().literal(true))) {
      double expected = literal.score(EGG, marked).reward();
      assertThat(shown(expected)).isNotEqualTo(shown(model.score(EGG, marked).reward()));
      browser.waitFor(
          "document.querySelector('#ranking .reward')?.textContent === a[0]", shown(expected));
    }
  }

  @Test
  void anExampleIsAClick() {
    browser.all(".examples button").get(3).click();
    waitUntilRanked("What is 15 + 14?", "15 + 14 = 29.", "15 14 = + 29.", "Maybe.");
  }

  // ---- copies, each of which is used ----

  private static String copied(String form) {
    browser.one("#copy-open").click();
    browser.one("#copy-" + form).click();
    String text = browser.one("#copy-text").getDomProperty("value");
    browser.one("#copy button:not([type])").click();
    return text;
  }

  private static String printed(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  private static final String AWKWARD = "It's \"so\" \\ $HOME `x`\n\tü 漢 \u2028 %s";

  @Test
  void theCopyForAShellRuns() throws Exception {
    compare(EGG, AWKWARD, GOOD);
    JsonNode answer = new ObjectMapper().readTree(printed("bash", "-c", copied("curl")));
    for (Ranking.Entry entry : model.rank(EGG, List.of(AWKWARD, GOOD)).entries()) {
      JsonNode one = answer.path("data").path(entry.index());
      assertThat(one.path("rank").intValue()).isEqualTo(entry.rank());
      assertThat(one.path("reward").floatValue()).isEqualTo((float) entry.reward().reward());
    }
  }

  @Test
  void theCopyInJsonIsTheRequest() throws Exception {
    compare(EGG, AWKWARD, GOOD);
    JsonNode request = new ObjectMapper().readTree(copied("json"));
    assertThat(request.path("prompt").textValue()).isEqualTo(EGG);
    assertThat(request.path("responses").path(0).textValue()).isEqualTo(AWKWARD);
  }

  @Test
  void theCopyInJavaRuns() throws Exception {
    compare(EGG, AWKWARD, GOOD);
    Path source = Files.writeString(folder.resolve("Compare.java"), copied("java"));
    String said =
        printed(
            ProcessHandle.current().info().command().orElseThrow(),
            "--enable-native-access=ALL-UNNAMED",
            "-Dstdout.encoding=UTF-8",
            "-cp",
            System.getProperty("java.class.path"),
            source.toString());
    double best = model.score(EGG, GOOD).reward();
    assertThat(said).startsWith(String.format(Locale.ROOT, "1 %s %s\n", best, GOOD));
  }

  /** What a link takes the place of can be brought back. */
  @Test
  void aLinkOpensTheSameTexts() {
    compare(EGG, AWKWARD, BAD);
    String link = copied("link").strip();
    compare("Hello?", "Hi!", "No.");
    browser.driver().get("about:blank");
    browser.driver().get(link);
    waitUntilRanked(EGG, AWKWARD, BAD);
    assertThat(browser.driver().getCurrentUrl()).isEqualTo(server.url());
    browser.one("#toast button").click();
    waitUntilRanked("Hello?", "Hi!", "No.");
  }

  @Test
  void aThemeIsChosenAndKept() {
    String background = "return getComputedStyle(document.body).backgroundColor";
    browser.scheme("light");
    Object light = browser.run(background);
    browser.one("#theme").click();
    assertThat(browser.run(background)).isEqualTo(light);
    browser.one("#theme").click();
    Object dark = browser.run(background);
    assertThat(dark).isNotEqualTo(light);
    browser.driver().navigate().refresh();
    assertThat(browser.run(background)).isEqualTo(dark);
    browser.scheme("dark");
    browser.one("#theme").click();
    assertThat(browser.run(background)).isEqualTo(dark);
    browser.scheme("light");
    assertThat(browser.run(background)).isEqualTo(light);
    browser.scheme("");
  }
}
