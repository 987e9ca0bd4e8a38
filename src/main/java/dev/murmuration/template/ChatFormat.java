package dev.murmuration.template;

import dev.murmuration.jinja.JinjaException;
import java.util.List;

/** Makes one text of turns: perhaps one of the system, then user and assistant alternate. */
public sealed interface ChatFormat permits PlainFormat, JinjaFormat {
  /**
   * The text, without a prompt for another response.
   *
   * @throws JinjaException if the format refuses the turns, or its template fails
   */
  String render(List<Turn> turns);
}
