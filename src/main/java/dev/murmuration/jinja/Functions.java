package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Function;
import dev.murmuration.jinja.Values.Namespace;
import dev.murmuration.jinja.Values.Range;
import java.time.LocalDate;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that transformers gives to a template. */
final class Functions {
  private static final int MOST = 100_000;

  private Functions() {}

  static void into(Scope scope, Budget budget, LocalDate date) {
    scope.set("range", function("range", given -> range(given, budget)));
    scope.set("namespace", (Function) Functions::namespace);
    scope.set("dict", (Function) Functions::dict);
    scope.set("raise_exception", function("raise_exception", given -> raise(given, budget)));
    scope.set("strftime_now", function("strftime_now", given -> day(given, budget, date)));
    for (String other : List.of("lipsum", "cycler", "joiner")) {
      scope.set(other, function(other, _ -> unsupported(other)));
    }
  }

  private static Function function(String name, java.util.function.Function<Given, Object> body) {
    return (positional, named) -> {
      Given given = new Given(name, positional, named);
      Object result = body.apply(given);
      given.requireAllUsed();
      return result;
    };
  }

  private static Object unsupported(String name) {
    throw new JinjaException("the function '" + name + "' is not supported");
  }

  private static Object raise(Given given, Budget budget) {
    throw JinjaException.raised(Values.text(given.required("message"), budget));
  }

  private static Object range(Given given, Budget budget) {
    long first = Values.integer(given.required("stop"));
    Object second = given.optional("");
    Object third = given.optional("");
    long start = second == null ? 0 : first;
    long end = second == null ? first : Values.integer(second);
    long step = third == null ? 1 : Values.integer(third);
    if (step == 0) {
      throw new JinjaException("the step of 'range' is 0");
    }
    List<Object> items = new ArrayList<>();
    for (long i = start; step > 0 ? i < end : i > end; i += step) {
      if (items.size() == MOST) {
        throw new JinjaException("'range' has more than " + MOST + " numbers");
      }
      items.add(i);
      if (step > 0 ? i > Long.MAX_VALUE - step : i < Long.MIN_VALUE - step) {
        break;
      }
    }
    budget.steps(items.size());
    return new Range(items);
  }

  private static Object namespace(List<Object> positional, Map<String, Object> named) {
    Map<String, Object> values = new LinkedHashMap<>();
    copy(positional, values, "namespace");
    values.putAll(named);
    return new Namespace(values);
  }

  private static Object dict(List<Object> positional, Map<String, Object> named) {
    Map<String, Object> values = new LinkedHashMap<>();
    copy(positional, values, "dict");
    values.putAll(named);
    return values;
  }

  private static void copy(List<Object> positional, Map<String, Object> into, String name) {
    for (Object each : positional) {
      if (!(each instanceof Map<?, ?> map) || positional.size() > 1) {
        throw new JinjaException("'" + name + "' takes arguments with names, or one dict");
      }
      map.forEach((key, value) -> into.put(key.toString(), value));
    }
  }

  private static Object day(Given given, Budget budget, LocalDate date) {
    if (date == null) {
      throw new JinjaException("asks for the day, and none is given");
    }
    String format = (String) given.required("format");
    budget.steps(format.length());
    return budget.text(strftime(format, date));
  }

  static String strftime(String format, LocalDate date) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char code = format.charAt(++i);
      boolean bare = code == '-' && i + 1 < format.length();
      out.append(part(bare ? format.charAt(++i) : code, bare ? "%d" : "%02d", date));
    }
    return out.toString();
  }

  private static String part(char code, String number, LocalDate date) {
    return switch (code) {
      case 'Y' -> String.valueOf(date.getYear());
      case 'y' -> String.format(number, date.getYear() % 100);
      case 'm' -> String.format(number, date.getMonthValue());
      case 'd' -> String.format(number, date.getDayOfMonth());
      case 'B' -> date.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b' -> date.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH).substring(0, 3);
      case 'A' -> date.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'a' -> date.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case 'j' -> String.format(number.replace("2", "3"), date.getDayOfYear());
      case '%' -> "%";
      default ->
          throw new JinjaException(
              "'strftime_now' with '%"
                  + code
                  + "' is not supported: a template is told a day, no time");
    };
  }
}
