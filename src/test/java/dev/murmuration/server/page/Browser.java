package dev.murmuration.server.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's Chromium without a window. */
final class Browser implements AutoCloseable {
  private static final Duration LONGEST = Duration.ofSeconds(30);

  private final ChromeDriver driver;
  private final Path downloads;

  /**
   * Starts one.
   *
   * @param folder an empty one, for its profile and for what it downloads
   */
  Browser(Path folder) {
    downloads = folder.resolve("downloads");
    ChromeOptions options = new ChromeOptions();
    options.setBinary("/usr/bin/chromium");
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
        "--user-data-dir=" + folder.resolve("profile"));
    options.setExperimentalOption(
        "prefs", Map.of("download.default_directory", downloads.toString()));
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(new File("/usr/bin/chromedriver"))
            .build();
    driver = new ChromeDriver(service, options);
    driver.manage().timeouts().scriptTimeout(LONGEST);
  }

  ChromeDriver driver() {
    return driver;
  }

  /** Clicks on what downloads a file, and waits until that is complete. */
  Path download(String selector, String name) throws IOException, InterruptedException {
    Files.createDirectories(downloads);
    Path file = downloads.resolve(name);
    try (WatchService watch = downloads.getFileSystem().newWatchService()) {
      downloads.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      one(selector).click();
      // It has another name until it is complete.
      while (!Files.exists(file)) {
        WatchKey key = watch.poll(LONGEST.toSeconds(), TimeUnit.SECONDS);
        assertThat(key).as("a sign of %s", name).isNotNull();
        key.reset();
      }
    }
    return file;
  }

  /** Opens a page in a browser that remembers nothing. */
  void open(String address) {
    // Elsewhere first: the page keeps its texts when it is left.
    driver.get("about:blank");
    driver.executeCdpCommand(
        "Storage.clearDataForOrigin", Map.of("origin", address, "storageTypes", "all"));
    // What a page writes while it is left may reach the browser's storage behind that.
    Object script =
        driver
            .executeCdpCommand(
                "Page.addScriptToEvaluateOnNewDocument", Map.of("source", "localStorage.clear()"))
            .get("identifier");
    driver.get(address);
    driver.executeCdpCommand(
        "Page.removeScriptToEvaluateOnNewDocument", Map.of("identifier", script));
  }

  WebElement one(String selector) {
    return driver.findElement(By.cssSelector(selector));
  }

  List<WebElement> all(String selector) {
    return driver.findElements(By.cssSelector(selector));
  }

  String text(String selector) {
    return one(selector).getText();
  }

  /** Waits until a condition in JavaScript holds; it may name its arguments {@code a[0]}, …. */
  void waitFor(String condition, Object... arguments) {
    Object ended =
        driver.executeAsyncScript(
            """
            const done = arguments[arguments.length - 1], a = arguments, ends = performance.now() + 20000;
            const look = () => {
              if (%1$s) {
                done("");
              } else if (performance.now() > ends) {
                done(document.body.innerText);
              } else {
                setTimeout(look, 5);
              }
            };
            look();
            """
                .formatted(condition),
            arguments);
    assertThat(ended).as("the page when it was given up to wait for %s", condition).isEqualTo("");
  }

  Object run(String script, Object... arguments) {
    return driver.executeScript(script, arguments);
  }

  /** Types a text in the place of another; what keys do not write, such as a tab, is pasted. */
  void type(WebElement area, String text) {
    area.clear();
    if (text.indexOf('\t') < 0) {
      area.sendKeys(text);
    } else {
      driver.executeScript(
          "arguments[0].focus(); document.execCommand('insertText', false, arguments[1])",
          area,
          text);
    }
  }

  /** As wide as this; like a phone, if that is narrow. */
  void width(int width) {
    boolean phone = width < 500;
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of(
            "width",
            width,
            "height",
            phone ? 844 : 900,
            "deviceScaleFactor",
            phone ? 2 : 1,
            "mobile",
            phone));
  }

  void usualWidth() {
    driver.executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
  }

  /** What the system prefers: light or dark. */
  void scheme(String scheme) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  /** What the page or the browser has complained of since the last time. */
  List<String> complaints() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
        .map(LogEntry::getMessage)
        .toList();
  }

  /** What axe-core finds serious or critical: rule, and the elements. */
  List<?> violations() throws IOException {
    try (InputStream axe = Browser.class.getResourceAsStream("/axe.min.js")) {
      driver.executeScript(new String(axe.readAllBytes(), StandardCharsets.UTF_8));
    }
    return (List<?>)
        driver.executeAsyncScript(
            """
            const done = arguments[arguments.length - 1];
            axe.run(document).then(found => done(found.violations
                .filter(each => ["serious", "critical"].includes(each.impact))
                .map(each => each.id + ": " + each.nodes.map(node => node.html + " " + node.failureSummary).join("; "))));
            """);
  }

  byte[] screenshot() {
    return driver.getScreenshotAs(OutputType.BYTES);
  }

  @Override
  public void close() {
    driver.quit();
  }
}
