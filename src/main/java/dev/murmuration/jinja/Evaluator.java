package dev.murmuration.jinja;

import dev.murmuration.jinja.Node.Arguments;
import dev.murmuration.jinja.Node.Expression;
import dev.murmuration.jinja.Values.Function;
import dev.murmuration.jinja.Values.Namespace;
import dev.murmuration.jinja.Values.Tuple;
import dev.murmuration.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gives expressions their values. */
final class Evaluator {
  /** No name of a template's. */
  static final String CAPTURED = " captured";

  private final Budget budget;
  private final Operators operators;
  private final Methods methods;
  private final Tests tests;
  private final Filters filters;

  Evaluator(Budget budget) {
    this.budget = budget;
    this.operators = new Operators(budget);
    this.methods = new Methods(budget);
    this.tests = new Tests(operators);
    this.filters = new Filters(budget, operators, tests, methods);
  }

  Object value(Expression expression, Scope scope) {
    budget.enter();
    budget.step();
    Object value = evaluate(expression, scope);
    budget.leave();
    return value;
  }

  private Object evaluate(Expression expression, Scope scope) {
    return switch (expression) {
      case Node.Constant constant -> constant.value();
      case Node.Captured _ -> scope.get(CAPTURED);
      case Node.Name name -> named(name.name(), scope);
      case Node.TupleOf tuple -> new Tuple(values(tuple.items(), scope));
      case Node.ListOf list -> values(list.items(), scope);
      case Node.DictOf dict -> dict(dict, scope);
      case Node.Conditional conditional -> conditional(conditional, scope);
      case Node.And and -> {
        Object left = value(and.left(), scope);
        yield Values.truth(left) ? value(and.right(), scope) : left;
      }
      case Node.Or or -> {
        Object left = value(or.left(), scope);
        yield Values.truth(left) ? left : value(or.right(), scope);
      }
      case Node.Not not -> !Values.truth(value(not.value(), scope));
      case Node.Sign sign -> Operators.sign(sign.negative(), value(sign.value(), scope));
      case Node.Binary binary ->
          operators.binary(
              binary.operator(), value(binary.left(), scope), value(binary.right(), scope));
      case Node.Concat concat -> concat(concat, scope);
      case Node.Compare compare -> compare(compare, scope);
      case Node.Attribute attribute ->
          attribute(value(attribute.object(), scope), attribute.name());
      case Node.Index index -> index(index, scope);
      case Node.Slice slice ->
          operators.slice(
              value(slice.object(), scope),
              bound(slice.from(), scope),
              bound(slice.to(), scope),
              bound(slice.step(), scope));
      case Node.Call call -> call(call, scope);
      case Node.Filter filter ->
          filters.apply(
              filter.name(),
              value(filter.value(), scope),
              new Given(
                  filter.name(),
                  values(filter.arguments().positional(), scope),
                  named(filter.arguments(), scope)));
      case Node.Test test -> {
        if (!test.arguments().named().isEmpty()) {
          throw new JinjaException("a test's argument has no name");
        }
        Object tested = value(test.value(), scope);
        budget.read(tested);
        yield tests.test(test.name(), tested, values(test.arguments().positional(), scope));
      }
    };
  }

  private static Object named(String name, Scope scope) {
    Object value = scope.get(name);
    return value == null ? new Undefined("'" + name + "' is undefined", true) : value;
  }

  private List<Object> values(List<Expression> expressions, Scope scope) {
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(value(expression, scope));
    }
    return values;
  }

  private Map<String, Object> named(Arguments arguments, Scope scope) {
    Map<String, Object> values = new LinkedHashMap<>();
    arguments.named().forEach((name, expression) -> values.put(name, value(expression, scope)));
    return values;
  }

  private Object dict(Node.DictOf node, Scope scope) {
    Map<Object, Object> dict = new LinkedHashMap<>();
    for (int i = 0; i < node.keys().size(); i++) {
      Object key = value(node.keys().get(i), scope);
      if (!(key instanceof String || key instanceof Long)) {
        throw new JinjaException("a key of type " + Values.type(key) + " is not supported");
      }
      dict.put(key, value(node.values().get(i), scope));
    }
    return dict;
  }

  private Object conditional(Node.Conditional node, Scope scope) {
    if (Values.truth(value(node.condition(), scope))) {
      return value(node.then(), scope);
    }
    return node.otherwise() == null
        ? new Undefined("an 'if' without 'else' has no value", true)
        : value(node.otherwise(), scope);
  }

  private String concat(Node.Concat node, Scope scope) {
    StringBuilder out = new StringBuilder();
    for (Expression part : node.parts()) {
      out.append(budget.text(Values.text(value(part, scope), budget)));
    }
    return out.toString();
  }

  private boolean compare(Node.Compare node, Scope scope) {
    Object left = value(node.first(), scope);
    for (int i = 0; i < node.operators().size(); i++) {
      Object right = value(node.others().get(i), scope);
      if (!operators.compare(node.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  /** What Python has as attributes, and this has not, is never printed as if it were missing. */
  private Object attribute(Object object, String name) {
    if (name.startsWith("_")) {
      throw new JinjaException("the attribute '" + name + "' is not for templates");
    }
    return switch (object) {
      case Undefined undefined -> throw undefined.problem();
      case Loop loop -> loop.attribute(name);
      case Namespace namespace -> {
        Object value = namespace.values().get(name);
        yield value == null ? new Undefined("the namespace has no '" + name + "'", true) : value;
      }
      case Map<?, ?> map when !Methods.DICT.contains(name) -> operators.item(map, name);
      default ->
          new Undefined(
              "a value of type " + Values.type(object) + " has no attribute '" + name + "'",
              Values.isNone(object));
    };
  }

  private Object index(Node.Index node, Scope scope) {
    Object object = value(node.object(), scope);
    Object key = value(node.key(), scope);
    return switch (object) {
      case Namespace _ when key instanceof String name -> attribute(object, name);
      case Loop _ when key instanceof String name -> attribute(object, name);
      default -> operators.item(object, key);
    };
  }

  private Object bound(Expression expression, Scope scope) {
    return expression == null ? Values.NONE : value(expression, scope);
  }

  private Object call(Node.Call node, Scope scope) {
    if (node.function() instanceof Node.Attribute method) {
      Object object = value(method.object(), scope);
      boolean held =
          object instanceof Namespace
              || (object instanceof Map && !Methods.DICT.contains(method.name()));
      if (!held) {
        if (!node.arguments().named().isEmpty()) {
          throw new JinjaException(
              "an argument of '" + method.name() + "' has a name, which is not supported");
        }
        return methods.call(object, method.name(), values(node.arguments().positional(), scope));
      }
      return call(attribute(object, method.name()), method.name(), node.arguments(), scope);
    }
    String name = node.function() instanceof Node.Name function ? function.name() : "this";
    return call(value(node.function(), scope), name, node.arguments(), scope);
  }

  private Object call(Object function, String name, Arguments arguments, Scope scope) {
    if (function instanceof Undefined undefined) {
      throw undefined.problem();
    }
    if (!(function instanceof Function callable)) {
      throw new JinjaException("'" + name + "' is no function");
    }
    return callable.call(values(arguments.positional(), scope), named(arguments, scope));
  }
}
