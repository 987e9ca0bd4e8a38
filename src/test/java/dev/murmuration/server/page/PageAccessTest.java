package dev.murmuration.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.Keys;

/**
 * Whether everybody can use the page: axe-core's rules in both colour schemes, and the width of a
 * phone. Pictures of what was judged are in {@code target/page}.
 */
@Tag("browser")
class PageAccessTest extends PageTestBase {
  @AfterEach
  void usual() {
    browser.usualWidth();
    browser.scheme("");
  }

  @ParameterizedTest
  @CsvSource({"light, 1280", "dark, 1280", "light, 390", "dark, 390"})
  void nothingSeriousIsFoundAndNothingOverflows(String scheme, int width) throws Exception {
    browser.scheme(scheme);
    browser.width(width);
    compare(EGG, "Put the egg in boiling water. " + BAD, GOOD, "Put the egg in boiling water for");
    waitUntilTraced();
    judge(scheme + "-" + width + "-compare", width);

    browser.run("document.querySelector('.heat-text').focus()");
    browser.one(".heat-text").sendKeys(Keys.ARROW_RIGHT);
    browser.run("document.querySelector('.heat-table').open = true");
    judge(scheme + "-" + width + "-heat", width);

    browser.one("#copy-open").click();
    judge(scheme + "-" + width + "-copy", width);
    browser.one("#copy button:not([type])").click();
    browser.one("#help-open").click();
    judge(scheme + "-" + width + "-help", width);
    browser.one("#help button").click();

    browser.one("#tab-file").click();
    browser.one("#sample").click();
    browser.waitFor("document.querySelector('#run-words').textContent.startsWith('Done: ')");
    judge(scheme + "-" + width + "-file", width);
  }

  private static void judge(String name, int width) throws Exception {
    Path folder = Files.createDirectories(Path.of("target/page"));
    Files.write(folder.resolve(name + ".png"), browser.screenshot());
    assertThat(browser.violations()).as(name).isEmpty();
    assertThat((Long) browser.run("return document.documentElement.scrollWidth"))
        .as(name)
        .isLessThanOrEqualTo(width);
  }
}
