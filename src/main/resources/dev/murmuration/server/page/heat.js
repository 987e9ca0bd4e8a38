// The reward along a response: its text with a colour behind each token, a line, and a table.

import { $, drawn, element } from "./dom.js";
import { signed, visible } from "./format.js";

const MOST_TOKENS = 4000;
const HEIGHT = 40;

/** What is known of a response's tokens, and how they are coloured beside those of the others. */
export function tokensOf(answer) {
  const from = answer.response_start ?? 0;
  return answer.trace.slice(from).map((step, i) => {
    const before = answer.trace[from + i - 1];
    return {
      index: step.index,
      id: step.token_id,
      text: step.text,
      reward: step.reward,
      change: before === undefined ? null : step.reward - before.reward,
    };
  });
}

/**
 * One scale for all responses, so that a colour means the same in each. Rewards are compared with that of the middle
 * token, because zero means nothing; changes with none.
 */
export function scaleOf(lists, colour) {
  const all = lists.flat();
  const rewards = all.map((token) => token.reward).sort((a, b) => a - b);
  const centre = colour === "change" ? 0 : (rewards[rewards.length >> 1] ?? 0);
  const value = (token) => (colour === "change" ? (token.change ?? 0) : token.reward) - centre;
  const sizes = all.map((token) => Math.abs(value(token))).sort((a, b) => a - b);
  // A few tokens that are far out would leave the others without colour.
  const spread = sizes[Math.floor(0.95 * (sizes.length - 1))] || 1;
  return { share: (token) => Math.max(-1, Math.min(1, value(token) / spread)), low: rewards[0], high: rewards.at(-1) };
}

export class HeatMap {
  #tokens = [];
  #spans = [];
  #scale = null;
  #current = -1;
  #letter;

  constructor(root, letter) {
    this.root = root;
    this.#letter = letter;
    this.text = root.querySelector(".heat-text");
    this.line = root.querySelector(".heat-line");
    this.said = root.querySelector(".heat-said");
    this.problem = root.querySelector(".heat-problem");
    this.table = root.querySelector(".heat-table");
    this.text.setAttribute("aria-label", `Reward along response ${letter}. Arrow keys move from token to token.`);
    this.table.querySelector(".scroll").setAttribute("aria-label", `Tokens of response ${letter}`);
    this.#listen();
  }

  /** Shows tokens in a scale; the same ones again only in other colours. */
  show(tokens, scale) {
    this.root.hidden = false;
    this.root.classList.remove("stale");
    this.#reveal(true);
    this.#scale = scale;
    if (tokens !== this.#tokens) {
      this.#tokens = tokens;
      this.#leave();
      this.#spans = tokens.slice(0, MOST_TOKENS).map(span);
      this.text.replaceChildren(...this.#spans.flatMap((each, i) => (spaceBefore(tokens[i]) ? [" ", each] : [each])));
      if (tokens.length > MOST_TOKENS) {
        this.text.append(element("span", { className: "dim" }, ` … ${tokens.length - MOST_TOKENS} tokens more`));
      }
    }
    this.#spans.forEach((each, i) => {
      const share = scale.share(tokens[i]);
      each.style.setProperty("--size", Math.abs(share).toFixed(3));
      each.className = share > 0.02 ? "token up" : share < -0.02 ? "token down" : "token";
    });
    this.#drawLine();
    if (this.table.open) {
      this.#fillTable();
    }
  }

  /** What is shown belongs to a text that has been changed since. */
  stale() {
    this.root.classList.add("stale");
  }

  hide() {
    this.root.hidden = true;
    this.#leave();
  }

  fail(words) {
    this.root.hidden = false;
    this.root.classList.remove("stale");
    this.#reveal(false);
    this.problem.textContent = words;
  }

  #reveal(works) {
    for (const part of [this.text, this.table]) {
      part.hidden = !works;
    }
    this.line.toggleAttribute("hidden", !works);
    this.problem.hidden = works;
  }

  #listen() {
    const at = (event) => this.#spans.indexOf(event.target.closest(".token"));
    this.text.addEventListener("pointerover", (event) => this.#point(at(event), false));
    this.text.addEventListener("pointerdown", (event) => this.#point(at(event), false));
    this.text.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#leave());
    this.text.addEventListener("focus", () => this.text.matches(":focus-visible") && this.#point(Math.max(0, this.#current), true));
    this.text.addEventListener("blur", () => this.#leave());
    this.text.addEventListener("keydown", (event) => {
      const last = this.#spans.length - 1;
      const to = { ArrowRight: this.#current + 1, ArrowLeft: this.#current - 1, Home: 0, End: last }[event.key];
      if (to !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        this.#point(Math.max(0, Math.min(last, to)), true);
      } else if (event.key === "Escape") {
        this.#leave();
      }
    });
    const along = (event) => {
      const box = this.line.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      this.#point(Math.max(0, Math.min(this.#spans.length - 1, Math.round(share * (this.#spans.length - 1)))), false);
    };
    this.line.addEventListener("pointermove", along);
    this.line.addEventListener("pointerdown", along);
    this.line.addEventListener("pointerleave", () => this.#leave());
    this.table.addEventListener("toggle", () => this.table.open && this.#fillTable());
  }

  #point(index, aloud) {
    const token = this.#tokens[index];
    const place = this.#spans[index];
    if (!token || !place) {
      return;
    }
    this.#spans[this.#current]?.classList.remove("current");
    this.#current = index;
    place.classList.add("current");
    this.line.querySelector(".dot")?.setAttribute("d", `M${this.#x(index)} 0V${HEIGHT}`);
    showTip(place, token, index, this.#tokens.length);
    if (aloud) {
      this.said.textContent = spoken(token);
      place.scrollIntoView({ block: "nearest" });
    }
  }

  #leave() {
    this.#spans[this.#current]?.classList.remove("current");
    this.#current = -1;
    this.line.querySelector(".dot")?.setAttribute("d", "");
    $("tip").hidden = true;
  }

  #x(index) {
    return this.#tokens.length < 2 ? 50 : (100 * index) / (this.#tokens.length - 1);
  }

  #drawLine() {
    const { low, high } = this.#scale;
    const y = (reward) => 3 + ((HEIGHT - 6) * (high - reward)) / (high - low || 1);
    const points = this.#tokens.map((token, i) => `${this.#x(i).toFixed(2)} ${y(token.reward).toFixed(2)}`);
    this.line.setAttribute("viewBox", `0 0 100 ${HEIGHT}`);
    this.line.replaceChildren(
      drawn("path", { class: "along", d: points.length ? "M" + points.join("L") : "" }),
      drawn("path", { class: "dot", d: "" }));
  }

  #fillTable() {
    this.table.querySelector("tbody").replaceChildren(
      ...this.#tokens.map((token) =>
        element("tr", {},
          element("td", {}, nameOf(token)),
          element("td", {}, signed(token.reward)),
          element("td", {}, token.change === null ? "" : signed(token.change)))));
  }
}

/** A word's space stands outside of its colour: at the end of a line it would be a mark of its own. */
const spaceBefore = (token) => /^ \S/.test(token.text);

function span(token) {
  const text = spaceBefore(token) ? token.text.slice(1) : token.text;
  const made = element("span", { className: "token" }, visible(text) || "·");
  if (token.text.trim() === "") {
    made.dataset.blank = "";
  }
  // A line break is shown as a sign, and breaks the line all the same.
  if (token.text.endsWith("\n")) {
    made.dataset.breaks = "";
  }
  return made;
}

const nameOf = (token) => (token.text === "" ? `(token ${token.id})` : visible(token.text).replace(/^ | $/g, "␣"));

function spoken(token) {
  const change = token.change === null ? "" : `, change ${signed(token.change)}`;
  return `${token.text.trim() || nameOf(token)}: reward ${signed(token.reward)}${change}`;
}

function showTip(place, token, index, of) {
  const tip = $("tip");
  const change = token.change === null ? [] : [
    element("span", {}, "change"),
    element("strong", { className: token.change < 0 ? "down" : "up" }, `${token.change < 0 ? "▼" : "▲"} ${signed(token.change)}`),
  ];
  tip.replaceChildren(
    element("code", {}, nameOf(token)),
    element("div", {}, element("span", {}, "reward"), element("strong", {}, signed(token.reward)), ...change),
    element("small", {}, `token ${index + 1} of ${of}, id ${token.id}`));
  tip.hidden = false;
  tipped = place;
  placeTip();
}

let tipped = null;

function placeTip() {
  const tip = $("tip");
  if (tip.hidden || tipped === null) {
    return;
  }
  const at = tipped.getClientRects()[0] ?? tipped.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  const left = Math.max(8, Math.min(room - size.width - 8, at.left + at.width / 2 - size.width / 2));
  const above = at.top - size.height - 8;
  tip.style.setProperty("left", `${left}px`);
  tip.style.setProperty("top", `${above > 8 ? above : at.bottom + 8}px`);
}

addEventListener("scroll", placeTip, { capture: true, passive: true });
