package dev.murmuration.template;

import dev.murmuration.jinja.JinjaTemplate;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A Jinja template, given what transformers' {@code apply_chat_template} gives to it. Immutable.
 */
public final class JinjaFormat implements ChatFormat {
  private static final List<String> NOT_GIVEN =
      List.of("unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

  private final JinjaTemplate template;
  private final SpecialTexts special;
  private final LocalDate date;

  private JinjaFormat(JinjaTemplate template, SpecialTexts special, LocalDate date) {
    this.template = template;
    this.special = special;
    this.date = date;
  }

  /**
   * Reads a template.
   *
   * @throws dev.murmuration.jinja.JinjaException if it cannot be read
   */
  public static JinjaFormat of(String text) {
    return new JinjaFormat(JinjaTemplate.parse(text), SpecialTexts.NONE, null);
  }

  /** With the texts of a vocabulary's tokens. */
  public JinjaFormat with(SpecialTexts texts) {
    return new JinjaFormat(template, texts, date);
  }

  /** With the day that it is told; null for none. */
  public JinjaFormat with(LocalDate day) {
    return new JinjaFormat(template, special, day);
  }

  /** Whether it asks for a day, and was told none. */
  public boolean lacksDay() {
    return asksForDay() && date == null;
  }

  /** Whether its text depends on the day that it is told. */
  public boolean asksForDay() {
    return template.asksForDay();
  }

  @Override
  public String render(List<Turn> turns) {
    Map<String, Object> variables = new HashMap<>();
    variables.put("messages", turns.stream().<Object>map(JinjaFormat::message).toList());
    variables.put("add_generation_prompt", false);
    variables.put("tools", JinjaTemplate.none());
    variables.put("documents", JinjaTemplate.none());
    for (String name : NOT_GIVEN) {
      variables.put(name, JinjaTemplate.missing("'" + name + "' is not given to templates here"));
    }
    if (special.bos() != null) {
      variables.put("bos_token", special.bos());
    }
    if (special.eos() != null) {
      variables.put("eos_token", special.eos());
    }
    if (date != null && !asksForDay()) {
      variables.put("date_string", JinjaTemplate.day(date));
    }
    return template.render(variables, date);
  }

  private static Map<String, Object> message(Turn turn) {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("role", turn.role());
    message.put("content", turn.content());
    return message;
  }
}
