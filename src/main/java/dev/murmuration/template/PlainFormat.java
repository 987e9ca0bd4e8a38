package dev.murmuration.template;

import java.util.List;

/**
 * A format without a template language, so that the embedded model starts without one.
 *
 * @param start put before the conversation
 * @param systemPrefix put before the system message, which becomes the beginning of the first user
 *     message
 * @param systemSuffix put after the system message
 * @param userPrefix put before a user message
 * @param userSuffix put between a user message and its response
 * @param turnSeparator put between a response and the next user message
 * @param end put after the last response
 */
record PlainFormat(
    String start,
    String systemPrefix,
    String systemSuffix,
    String userPrefix,
    String userSuffix,
    String turnSeparator,
    String end)
    implements ChatFormat {
  @Override
  public String render(List<Turn> turns) {
    StringBuilder text = new StringBuilder(start);
    String system = "";
    boolean turnsBefore = false;
    for (Turn turn : turns) {
      switch (turn.role()) {
        case "system" -> system = systemPrefix + turn.content() + systemSuffix;
        case "user" -> {
          text.append(turnsBefore ? turnSeparator : "").append(userPrefix).append(system);
          text.append(turn.content()).append(userSuffix);
          system = "";
          turnsBefore = true;
        }
        default -> text.append(turn.content());
      }
    }
    return text.append(end).toString();
  }
}
