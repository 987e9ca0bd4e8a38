package dev.murmuration.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class JinjaTemplateTest {
  private static final LocalDate DAY = LocalDate.of(2026, 11, 26);

  /** What Jinja2 renders and this refuses by name. */
  private static final List<String> REFUSED =
      List.of("{{ '%s' % 'a' }}", "{{ ''.__class__ }}", "{{ 1 ** 2 }}");

  private static Map<String, Object> variables() {
    List<Object> messages = new ArrayList<>();
    String[][] all = {{"system", "sys"}, {"user", "u'1"}, {"assistant", "a\n"}};
    for (String[] each : all) {
      Map<String, Object> message = new LinkedHashMap<>();
      message.put("role", each[0]);
      message.put("content", each[1]);
      messages.add(message);
    }
    Map<String, Object> variables = new HashMap<>();
    variables.put("messages", messages);
    variables.put("add_generation_prompt", false);
    variables.put("bos_token", "<BOS>");
    variables.put("eos_token", "<EOS>");
    variables.put("tools", JinjaTemplate.none());
    variables.put("documents", JinjaTemplate.none());
    return variables;
  }

  private static String render(String template) {
    return JinjaTemplate.parse(template).render(variables(), DAY);
  }

  @Test
  void rendersWhatJinja2Renders() throws IOException {
    List<String> refused = new ArrayList<>();
    int equal = 0;
    for (String line : Files.readAllLines(Path.of("src/test/resources/jinja/jinja2.jsonl"))) {
      JsonNode row = new ObjectMapper().readTree(line);
      String template = row.get("template").textValue();
      String rendered = null;
      try {
        rendered = render(template);
      } catch (JinjaException e) {
        if (row.has("rendered")) {
          refused.add(template);
        }
        continue;
      }
      assertThat(rendered).as(template).isEqualTo(row.path("rendered").textValue());
      equal++;
    }
    assertThat(refused).containsExactlyInAnyOrderElementsOf(REFUSED);
    assertThat(equal).isGreaterThan(200);
  }

  /** Each ends, in counted steps, with an error that says what is wrong. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      quoteCharacter = '`',
      value = {
        "{% for i in range(1000000000) %}x{% endfor %} @ 'range' has more than 100000 numbers",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %} @ steps",
        "{% for i in range(99999) %}{% for j in range(99) %}x{% endfor %}{% endfor %} @ more than",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }} @ levels deep",
        "{% macro m(n) %}{% for i in [1, 2] %}{{ m(n + 1) }}{% endfor %}{% endmacro %}{{ m(1) }} @"
            + " levels deep",
        "{{ 'x' * 1000000000000 }} @ characters of text",
        "{{ [1] * 1000000000 }} @ steps",
        "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{%"
            + " endfor %} @ characters",
        "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %} @ steps",
        "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ ns.s }} @ more than",
        "{% set ns = namespace(s=[1]) %}{% for i in range(999) %}{% set ns.s = [ns.s] %}{% endfor"
            + " %}{{ ns.s }} @ levels deep",
        "{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ ns.s == ns.s[:] }} @ steps",
        "{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ ns.s | tojson }} @ more than",
        "{% set a = namespace(x=1) %}{% set b = namespace(x=a) %}{% set a.x = b %}{{ a == b }}{{"
            + " [a] == [b] }}{{ a }} @ cannot be printed",
        "{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = [ns.s, ns.s] %}{%"
            + " endfor %}{{ {}.get(ns.s) }} @ a key of type list",
        "{% set s = 'a' * 500000 %}{% for i in range(99999) %}{{ s is lower }}{% endfor %} @ steps",
        "{% set s = ' ' * 500000 %}{% for i in range(99999) %}{{ s | int }}{% endfor %} @ steps",
        "{% set s = 'ab' * 9999 %}{% for i in range(99999) %}{{ s.strip(s) }}{% endfor %} @ steps",
        "{% set s = '%%' * 99999 %}{% for i in range(99999) %}{{ strftime_now(s) }}{% endfor %} @"
            + " more than",
        "{{ ('x' * 10000).replace('', 'y' * 10000) }} @ characters",
        "{{ 'a'.join(range(10)) }} @ 'join' is not for",
        "{{ ''.class }} @ has no attribute 'class'",
        "{{ ''.__class__.__mro__ }} @ '__class__' is not for templates",
        "{{ messages.getClass() }} @ 'getClass'",
        "{{ messages[0].getClass().forName('java.lang.Runtime') }} @ no key 'getClass'",
        "{{ messages.append(1) }} @ may not change a list",
        "{{ range.__globals__ }} @ not for templates",
        "{% include 'file' %} @ line 1: the tag 'include' is not supported",
        "{% import '/etc/passwd' as p %} @ the tag 'import' is not supported",
        "{% extends 'a' %} @ the tag 'extends' is not supported",
        "{{ 1 / 0 }} @ division by zero",
        "{{ 9223372036854775807 + 1 }} @ too large",
        "{{ 99999999999999999999 }} @ too large",
        "{% if x %} @ has no end",
        "{% endif %} @ 'endif'",
        "{{ (1 }} @ closes nothing",
        "{{ 'a @ has no end",
        "{{ @ has no end",
        "{# x @ has no end",
        "{{ [1 @ has no end",
        "{{ 'a'|nosuch }} @ the filter 'nosuch' is not supported",
        "{{ 'a' is nosuch }} @ the test 'nosuch' is not supported",
        "{{ 'a'.nosuch() }} @ the method 'nosuch'",
        "{{ joiner() }} @ the function 'joiner' is not supported",
        "{{ strftime_now('%H') }} @ '%H' is not supported",
        "{{ strftime_now(1) }} @ wrong type",
        "{{ raise_exception('no ' ~ 1) }} @ no 1"
      })
  void hostileTemplatesEndInAMessage(String template, String message) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOf(JinjaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void hugeAndDeepTextsAreRefused() {
    assertThatThrownBy(() -> JinjaTemplate.parse("x".repeat(10_000_000)))
        .hasMessageContaining("10000000 characters");
    for (String part : List.of("(", "[", "{{ ", "- ", "not ", "{% if 1 %}", "{% for a in b %}")) {
      String many = part.repeat(100_000);
      assertThatThrownBy(() -> JinjaTemplate.parse(part.startsWith("{%") ? many : "{{ " + many))
          .as(part)
          .isInstanceOf(JinjaException.class);
    }
    assertThatThrownBy(() -> JinjaTemplate.parse("{{ 1" + " + 1".repeat(100_000) + " }}"))
        .hasMessageContaining("in a row");
    assertThatThrownBy(() -> JinjaTemplate.parse("{{ a" + "|trim".repeat(100_000) + " }}"))
        .hasMessageContaining("in a row");
    assertThatThrownBy(
            () -> JinjaTemplate.parse("{% if a %}" + "{% elif b %}".repeat(50_000) + "{% endif %}"))
        .hasMessageContaining("levels deep");
  }

  /** Whatever is changed in them, templates are rendered or refused, and nothing else happens. */
  @Test
  void mutatedTemplatesAreRenderedOrRefused() throws IOException {
    List<String> seeds = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("src/test/resources/jinja/jinja2.jsonl"))) {
      seeds.add(new ObjectMapper().readTree(line).get("template").textValue());
    }
    Random random = new Random(13);
    for (int i = 0; i < 4000; i++) {
      String a = seeds.get(random.nextInt(seeds.size()));
      String b = seeds.get(random.nextInt(seeds.size()));
      int cut = random.nextInt(a.length() + 1);
      int from = random.nextInt(b.length() + 1);
      int to = from + random.nextInt(b.length() - from + 1);
      String mutated =
          a.substring(0, cut)
              + b.substring(from, to)
              + a.substring(Math.min(a.length(), cut + random.nextInt(4)));
      try {
        assertThat(render(mutated)).isNotNull();
      } catch (JinjaException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  @Test
  void aDayIsToldOnlyIfThereIsOne() {
    JinjaTemplate template = JinjaTemplate.parse("{{ strftime_now('%d %b %Y') }}");
    assertThat(template.asksForDay()).isTrue();
    assertThat(template.render(Map.of(), DAY)).isEqualTo("26 Nov 2026");
    assertThatThrownBy(() -> template.render(Map.of(), null)).hasMessageContaining("the day");
  }
}
