// Numbers as people read them, the same as on the command line.

const MINUS = "−";

/** A reward or a change, with its sign and three digits behind the point. */
export function signed(value, digits = 3) {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? MINUS : "+") + text;
}

/** A probability in per cent, never 0 or 100 when it is not. */
export function percent(probability) {
  const value = 100 * probability;
  if (value > 0 && value < 0.05) {
    return "< 0.1 %";
  }
  return value < 100 && value >= 99.95 ? "> 99.9 %" : value.toFixed(1) + " %";
}

export function count(number) {
  return number.toLocaleString("en");
}

/** A number with its noun: "1 row", "1,200 rows". */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

export function duration(seconds) {
  if (seconds < 1) {
    return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  }
  if (seconds < 90) {
    return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(size) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let power = 0;
  while (size >= 1024 && power < units.length - 1) {
    size /= 1024;
    power++;
  }
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`;
}

/** The beginning of a text in one line. */
export function shortened(text, most) {
  const line = text.replace(/\s+/gu, " ").trim();
  const characters = Array.from(line.slice(0, 2 * most + 2));
  return characters.length > most ? characters.slice(0, most - 1).join("") + "…" : line;
}

/** What a token adds, with what cannot be seen made visible. */
export function visible(text) {
  return text.replace(/\n/g, "↵").replace(/\t/g, "⇥").replace(/\r/g, "␍");
}
