package dev.murmuration.report;

import java.util.Locale;

/** Writes one chart: marks in a rectangle, with axes, in the colours of the page's style sheet. */
final class Svg {
  static final int WIDTH = 640;
  static final int HEIGHT = 300;
  private static final int LEFT = 64;
  private static final int RIGHT = 30;
  private static final int TOP = 14;
  private static final int BOTTOM = 52;

  private final StringBuilder text = new StringBuilder();
  private final double minX;
  private final double maxX;
  private final double minY;
  private final double maxY;

  Svg(String description, double minX, double maxX, double minY, double maxY) {
    this.minX = minX;
    this.maxX = maxX == minX ? minX + 1 : maxX;
    this.minY = minY;
    this.maxY = maxY == minY ? minY + 1 : maxY;
    text.append(
        String.format(
            Locale.ROOT,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
            WIDTH,
            HEIGHT,
            Html.escaped(description)));
  }

  private double x(double value) {
    return LEFT + (value - minX) / (maxX - minX) * (WIDTH - LEFT - RIGHT);
  }

  private double y(double value) {
    return HEIGHT - BOTTOM - (value - minY) / (maxY - minY) * (HEIGHT - TOP - BOTTOM);
  }

  private void add(String marks) {
    text.append(marks);
  }

  /** A line across at a value, and the value beside it. */
  void rule(double value, String label) {
    add(
        String.format(
            Locale.ROOT,
            "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
            LEFT,
            WIDTH - RIGHT,
            y(value),
            y(value)));
    add(
        String.format(
            Locale.ROOT,
            "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
            LEFT - 8,
            y(value) + 4,
            Html.escaped(label)));
  }

  /** A value below the horizontal axis. */
  void tick(double value, String label) {
    add(
        String.format(
            Locale.ROOT,
            "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            x(value),
            HEIGHT - BOTTOM + 22,
            Html.escaped(label)));
  }

  /** What the horizontal axis shows. */
  void caption(String label) {
    add(
        String.format(
            Locale.ROOT,
            "<text class=\"caption\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            (LEFT + WIDTH - RIGHT) / 2,
            HEIGHT - 6,
            Html.escaped(label)));
  }

  /** A bar between two values of x, from one value of y to another. */
  void bar(String style, double fromX, double toX, double fromY, double toY, String title) {
    double top = Math.min(y(fromY), y(toY));
    add(
        String.format(
            Locale.ROOT,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\""
                + " height=\"%.1f\"><title>%s</title></rect>",
            style,
            x(fromX) + 0.5,
            top,
            Math.max(0.5, x(toX) - x(fromX) - 1),
            Math.max(0, Math.abs(y(fromY) - y(toY))),
            Html.escaped(title)));
  }

  /** An upright line: an interval. */
  void whisker(double at, double low, double high) {
    add(
        String.format(
            Locale.ROOT,
            "<line class=\"whisker\" x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$.1f\" y2=\"%3$.1f\"/>",
            x(at),
            y(low),
            y(high)));
  }

  void dot(String style, double atX, double atY, double radius, String title) {
    add(
        String.format(
            Locale.ROOT,
            "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%s</title></circle>",
            style,
            x(atX),
            y(atY),
            radius,
            Html.escaped(title)));
  }

  void line(String style, double[] xs, double[] ys) {
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < xs.length; i++) {
      points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(xs[i]), y(ys[i])));
    }
    add(
        String.format(
            Locale.ROOT,
            "<polyline class=\"%s\" points=\"%s\"/>",
            style,
            points.toString().strip()));
  }

  void label(double atX, double atY, String anchor, String label) {
    add(
        String.format(
            Locale.ROOT,
            "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
            x(atX),
            y(atY) - 6,
            anchor,
            Html.escaped(label)));
  }

  @Override
  public String toString() {
    return text + "</svg>";
  }
}
