package dev.murmuration.jinja;

import dev.murmuration.jinja.Node.Statement;
import dev.murmuration.jinja.Values.Function;
import dev.murmuration.jinja.Values.Namespace;
import dev.murmuration.jinja.Values.Undefined;
import java.util.List;
import java.util.Map;

/** Renders a template once. */
final class Interpreter {
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;

  Interpreter(Budget budget) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget);
  }

  String render(List<Statement> body, Scope scope) {
    StringBuilder out = new StringBuilder();
    run(body, new Scope(scope), out);
    return out.toString();
  }

  private Flow run(List<Statement> body, Scope scope, StringBuilder out) {
    budget.enter();
    Flow flow = Flow.ON;
    for (Statement statement : body) {
      budget.step();
      flow = run(statement, scope, out);
      if (flow != Flow.ON) {
        break;
      }
    }
    budget.leave();
    return flow;
  }

  private Flow run(Statement statement, Scope scope, StringBuilder out) {
    return switch (statement) {
      case Node.Data data -> {
        out.append(budget.text(data.text()));
        yield Flow.ON;
      }
      case Node.Output output -> {
        out.append(budget.text(Values.text(evaluator.value(output.value(), scope), budget)));
        yield Flow.ON;
      }
      case Node.Branch branch ->
          Values.truth(evaluator.value(branch.condition(), scope))
              ? run(branch.then(), scope, out)
              : run(branch.otherwise(), scope, out);
      case Node.For loop -> loop(loop, scope, out);
      case Node.Assign assign -> {
        assign(assign.target(), evaluator.value(assign.value(), scope), scope);
        yield Flow.ON;
      }
      case Node.AssignBlock block -> {
        capture(block, scope);
        yield Flow.ON;
      }
      case Node.Macro macro -> {
        scope.set(macro.name(), macro(macro, scope));
        yield Flow.ON;
      }
      case Node.Generation generation -> run(generation.body(), new Scope(scope), out);
      case Node.Break _ -> Flow.BREAK;
      case Node.Continue _ -> Flow.CONTINUE;
    };
  }

  private Flow loop(Node.For node, Scope scope, StringBuilder out) {
    List<Object> items = Values.items(evaluator.value(node.items(), scope), budget);
    Loop loop = new Loop(items, item -> passes(node, item, scope));
    boolean any = false;
    while (loop.advance()) {
      any = true;
      budget.step();
      Scope inner = new Scope(scope);
      inner.set("loop", loop);
      assign(node.target(), loop.current(), inner);
      if (run(node.body(), inner, out) == Flow.BREAK) {
        break;
      }
    }
    return any ? Flow.ON : run(node.otherwise(), new Scope(scope), out);
  }

  private boolean passes(Node.For node, Object item, Scope scope) {
    budget.step();
    if (node.filter() == null) {
      return true;
    }
    Scope inner = new Scope(scope);
    assign(node.target(), item, inner);
    return Values.truth(evaluator.value(node.filter(), inner));
  }

  private void assign(Node.Expression target, Object value, Scope scope) {
    switch (target) {
      case Node.Name name -> scope.set(name.name(), value);
      case Node.Attribute attribute -> {
        if (!(evaluator.value(attribute.object(), scope) instanceof Namespace namespace)) {
          throw new JinjaException("only a namespace has attributes that can be set");
        }
        namespace.values().put(attribute.name(), value);
      }
      case Node.TupleOf tuple -> {
        List<Object> items = Values.items(value, budget);
        if (items.size() != tuple.items().size()) {
          throw new JinjaException(
              items.size() + " values cannot be given to " + tuple.items().size() + " names");
        }
        for (int i = 0; i < items.size(); i++) {
          assign(tuple.items().get(i), items.get(i), scope);
        }
      }
      default -> throw new JinjaException("this cannot be set");
    }
  }

  private void capture(Node.AssignBlock block, Scope scope) {
    StringBuilder text = new StringBuilder();
    Scope inner = new Scope(scope);
    run(block.body(), inner, text);
    inner.set(Evaluator.CAPTURED, text.toString());
    assign(block.target(), evaluator.value(block.filters(), inner), scope);
  }

  private Function macro(Node.Macro macro, Scope scope) {
    return (positional, named) -> {
      Scope inner = new Scope(scope);
      arguments(macro, positional, named, inner);
      StringBuilder out = new StringBuilder();
      run(macro.body(), inner, out);
      return out.toString();
    };
  }

  private void arguments(
      Node.Macro macro, List<Object> positional, Map<String, Object> named, Scope inner) {
    List<String> names = macro.parameters();
    Given given = new Given(macro.name(), positional, named);
    int firstDefault = names.size() - macro.defaults().size();
    for (int i = 0; i < names.size(); i++) {
      Object value = given.optional(names.get(i));
      if (value == null) {
        value =
            i >= firstDefault
                ? evaluator.value(macro.defaults().get(i - firstDefault), inner)
                : new Undefined("the parameter '" + names.get(i) + "' is not given", true);
      }
      inner.set(names.get(i), value);
    }
    for (String special : List.of("varargs", "kwargs", "caller")) {
      if (!names.contains(special)) {
        inner.set(special, new Undefined("'" + special + "' is not supported in a macro", false));
      }
    }
    given.requireAllUsed();
  }
}
