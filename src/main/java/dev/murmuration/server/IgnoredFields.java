package dev.murmuration.server;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Says once of each field of requests that it is ignored. Any thread may use it. */
final class IgnoredFields {
  /** Anybody may send any names. */
  private static final int MOST = 100;

  private static final int LONGEST = 60;

  private final Set<String> said = ConcurrentHashMap.newKeySet();
  private final Consumer<String> log;

  IgnoredFields(Consumer<String> log) {
    this.log = log;
  }

  void note(String endpoint, List<String> names) {
    for (String name : names) {
      String plain = name.replaceAll("[^A-Za-z0-9_.-]", "?");
      String shown = plain.length() > LONGEST ? plain.substring(0, LONGEST) + "…" : plain;
      if (said.size() < MOST && said.add(endpoint + " " + shown)) {
        log.accept(
            "the field '"
                + shown
                + "' of requests to "
                + endpoint
                + " is ignored; it is not known");
      }
    }
  }
}
