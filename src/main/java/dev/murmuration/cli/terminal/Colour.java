package dev.murmuration.cli.terminal;

/**
 * A colour in which part of a line is shown, where the terminal shows colours (SGR codes of
 * ECMA-48).
 */
public enum Colour {
  GREEN(32),
  RED(31),
  BLUE(34),
  DIM(2),
  BOLD(1);

  private final int code;

  Colour(int code) {
    this.code = code;
  }

  public String of(String text, Terminal terminal) {
    return terminal.colour() ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
