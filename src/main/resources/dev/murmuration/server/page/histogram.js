// How often which reward came out, of any number of rewards in little memory.

import { drawn } from "./dom.js";
import { count, signed } from "./format.js";

const MOST_KEPT = 2000;
const MOST_BARS = 40;
const WIDTH = 600;
const HEIGHT = 150;

export class Histogram {
  #counts = new Map();
  #step = 1 / 32;

  add(reward) {
    const at = Math.floor(reward / this.#step);
    this.#counts.set(at, (this.#counts.get(at) ?? 0) + 1);
    if (this.#counts.size > MOST_KEPT) {
      this.#step *= 2;
      this.#counts = coarser(this.#counts);
    }
  }

  draw(svg) {
    let counts = this.#counts;
    let step = this.#step;
    if (counts.size === 0) {
      svg.replaceChildren();
      return;
    }
    while (Math.max(...counts.keys()) - Math.min(...counts.keys()) >= MOST_BARS) {
      counts = coarser(counts);
      step *= 2;
    }
    const first = Math.min(...counts.keys());
    const bars = Math.max(...counts.keys()) - first + 1;
    const most = Math.max(...counts.values());
    const width = WIDTH / bars;
    const rects = [...counts].map(([at, number]) => {
      const height = Math.max(1, (HEIGHT * number) / most);
      const bar = drawn("rect", {
        class: at < 0 ? "down" : "up",
        x: (at - first) * width + 1,
        y: HEIGHT - height,
        width: Math.max(1, width - 2),
        height,
        rx: 1.5,
      });
      bar.append(drawn("title", {}, `${signed(at * step, 2)} to ${signed((at + 1) * step, 2)}: ${count(number)}`));
      return bar;
    });
    const label = (bar, anchor) =>
      drawn("text", { x: bar * width, y: HEIGHT + 24, "text-anchor": anchor }, signed((first + bar) * step, 1));
    svg.replaceChildren(...rects, label(0, "start"), label(bars / 2, "middle"), label(bars, "end"));
    const [top] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    svg.setAttribute("aria-label",
      `Rewards from ${signed(first * step, 1)} to ${signed((first + bars) * step, 1)}, most often near ${signed((top + 0.5) * step, 1)}`);
  }
}

function coarser(counts) {
  const merged = new Map();
  for (const [at, number] of counts) {
    const to = Math.floor(at / 2);
    merged.set(to, (merged.get(to) ?? 0) + number);
  }
  return merged;
}
