package dev.murmuration.jinja;

import java.time.LocalDate;
import java.util.List;
import java.util.Map;

/**
 * A template in the language of Jinja2, with the settings of transformers' {@code
 * apply_chat_template}. It sees plain strings, numbers, lists and maps, and can reach nothing else;
 * what it may use is limited by counting. What is not supported is refused by name, when it is read
 * or when it is met. Immutable; any thread may use it.
 */
public final class JinjaTemplate {
  /** The longest text of a template, in UTF-16 units. */
  public static final int LONGEST = 1 << 20;

  private final List<Node.Statement> body;
  private final boolean asksForDay;

  private JinjaTemplate(List<Node.Statement> body, boolean asksForDay) {
    this.body = body;
    this.asksForDay = asksForDay;
  }

  /**
   * Reads a template.
   *
   * @throws JinjaException if it is wrong, too long, or uses what is not supported
   */
  public static JinjaTemplate parse(String text) {
    if (text.length() > LONGEST) {
      throw new JinjaException(
          "has " + text.length() + " characters; the longest that is read has " + LONGEST);
    }
    return new JinjaTemplate(Parser.parse(text), text.contains("strftime_now"));
  }

  /** Whether its text depends on the day. */
  public boolean asksForDay() {
    return asksForDay;
  }

  /**
   * Renders it.
   *
   * @param variables strings, booleans, and lists and maps of these; {@link #none} for None
   * @param date the day that {@code strftime_now} tells; null if it must not be asked for
   * @throws JinjaException if it fails, takes too long, or raises an exception of its own
   */
  public String render(Map<String, Object> variables, LocalDate date) {
    Budget budget = new Budget(size(variables));
    Scope scope = new Scope(null);
    Functions.into(scope, budget, date);
    variables.forEach(scope::set);
    try {
      return new Interpreter(budget).render(body, scope);
    } catch (ClassCastException e) {
      throw new JinjaException("a function has an argument of the wrong type");
    }
  }

  /** Python's None. */
  public static Object none() {
    return Values.NONE;
  }

  /** A variable that counts as undefined, and fails with this text where it is used. */
  public static Object missing(String problem) {
    return new Values.Undefined(problem, false);
  }

  /** A day as a template prints it: {@code %d %b %Y}. */
  public static String day(LocalDate date) {
    return Functions.strftime("%d %b %Y", date);
  }

  private static long size(Object value) {
    return switch (value) {
      case String s -> s.length();
      case List<?> l -> l.stream().mapToLong(JinjaTemplate::size).sum();
      case Map<?, ?> m -> m.values().stream().mapToLong(JinjaTemplate::size).sum();
      default -> 0;
    };
  }
}
