package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.function.Consumer;

/** The requests of one route, in the shape that its clients speak. Any thread may use it. */
@FunctionalInterface
public interface Protocol {
  /**
   * What a request asks for.
   *
   * @param request its body
   * @param ignored told the names of fields that are ignored because nobody knows them
   * @throws RequestFailure if it cannot be understood
   * @throws IllegalArgumentException if what it holds cannot be scored
   */
  Question read(ObjectNode request, Consumer<List<String>> ignored);

  /** How a failure of this request is told; the request may be null if there is none yet. */
  default ErrorShape errors(ObjectNode request) {
    return ErrorShape.NATIVE;
  }
}
