// The list of responses, best first, and the words that say why the first one wins.

import { $, element, movesLittle } from "./dom.js";
import { counted, percent, shortened, signed, visible } from "./format.js";

const BEGINNING = 90;

function row(letter, choose) {
  const name = element("button", { type: "button", className: "name" });
  name.addEventListener("click", () => choose(letter));
  const item = element("li", {},
    element("span", { className: "place" }),
    element("span", { className: "letter" }, letter),
    name,
    element("span", { className: "reward" }),
    element("span", { className: "bar-track", ariaHidden: "true" }, element("i"), element("b")),
    element("span", { className: "chance" }));
  item.dataset.letter = letter;
  return item;
}

/**
 * Shows entries, which are sorted; those that stay move to their new places.
 *
 * @param entries letter, text, reward, rank and probability of each
 */
export function showRanking(entries, choose) {
  const list = $("ranking");
  const old = new Map([...list.children].map((item) => [item.dataset.letter, item]));
  const tops = new Map([...old].map(([letter, item]) => [letter, item.getBoundingClientRect().top]));
  const rewards = entries.map((entry) => entry.reward);
  const low = Math.min(0, ...rewards);
  const width = Math.max(1e-9, ...rewards) - low;
  list.style.setProperty("--zero", (-low / width).toFixed(4));
  const items = entries.map((entry) => {
    const item = old.get(entry.letter) ?? row(entry.letter, choose);
    fill(item, entry, width);
    return item;
  });
  // Only what is out of place is moved, so that a focus in the list stays.
  items.forEach((item, i) => list.children[i] !== item && list.insertBefore(item, list.children[i] ?? null));
  while (list.children.length > items.length) {
    list.lastChild.remove();
  }
  if (!movesLittle()) {
    for (const item of items) {
      const from = tops.get(item.dataset.letter) - item.getBoundingClientRect().top;
      if (from) {
        item.animate([{ transform: `translateY(${from}px)` }, { transform: "none" }], { duration: 180, easing: "ease-out" });
      }
    }
  }
}

function fill(item, entry, width) {
  const one = (selector) => item.querySelector(selector);
  item.classList.toggle("best", entry.rank === 1);
  one(".place").textContent = entry.rank;
  one(".name").textContent = shortened(entry.text, BEGINNING);
  one(".name").setAttribute("aria-label", `Go to response ${entry.letter}: ${shortened(entry.text, BEGINNING)}`);
  one(".reward").textContent = signed(entry.reward);
  one(".chance").textContent = percent(entry.probability);
  const bar = one(".bar-track b");
  bar.className = entry.reward < 0 ? "down" : "up";
  bar.style.setProperty("--size", (Math.abs(entry.reward) / width).toFixed(4));
}

/** What a screen reader is told once the typing has stopped. */
export function spokenRanking(entries) {
  return entries.length < 2
    ? entries.map((entry) => `Response ${entry.letter}: reward ${signed(entry.reward)}`).join("")
    : "Ranking: " + entries.map((entry) => `${entry.rank}, ${entry.letter}, ${signed(entry.reward)}, ${percent(entry.probability)}`).join("; ");
}

const strong = (text) => element("strong", {}, text);
const quoted = (token) => element("q", {}, visible(token.text).trim() || visible(token.text) || `token ${token.id}`);

function extreme(tokens, sign) {
  return tokens.reduce((best, token) => (sign * (token.change ?? 0) > sign * (best?.change ?? 0) ? token : best), null);
}

/** How many tokens two responses begin with in common: these say nothing of what sets them apart. */
function alike(some, others) {
  let at = 0;
  while (at < some.length && at < others.length && some[at].id === others[at].id) {
    at++;
  }
  return at;
}

/**
 * Says why the first one wins: by how much, and at which tokens its reward and that of the second one move most from
 * where they differ on.
 *
 * @param tokens of a letter, or undefined while they are not known
 */
export function showWhy(entries, tokens) {
  const box = $("why");
  box.hidden = entries.length < 2;
  if (box.hidden) {
    return;
  }
  const [first, second] = entries;
  const between = 1 / (1 + Math.exp(second.reward - first.reward));
  const lead = element("p", {}, strong(first.letter), " leads ", strong(second.letter),
    ` by ${(first.reward - second.reward).toFixed(3)}: between these two it is preferred with ${percent(between)}.`);
  const both = [tokens(first.letter) ?? [], tokens(second.letter) ?? []];
  const from = alike(...both);
  const moves = [[first, 1, "rises most", both[0]], [second, -1, "falls most", both[1]]].flatMap(([entry, sign, words, of]) => {
    const token = extreme(of.slice(from), sign);
    return token === null ? [] : [element("p", {}, strong(entry.letter), ` ${words} at `, quoted(token), ` (${signed(token.change)}).`)];
  });
  box.replaceChildren(lead, ...moves);
}

/** How the rewards came about. */
export function factsOf(answer, context, took) {
  const usage = answer.usage ?? {};
  const computed = usage.computed_tokens;
  const asked = usage.total_tokens ?? usage.prompt_tokens;
  return [
    ["Model", answer.model],
    ["Template", answer.template],
    ["Read-out", answer.readout],
    ["Precision", answer.precision],
    ["Context", context === undefined ? "unknown" : counted(context, "token")],
    ["Tokens", asked === undefined ? "unknown" : counted(asked, "token") + (computed === undefined ? "" : `, ${computed} computed`)],
    ["Answered in", took],
    ["Build", answer.build],
  ].filter(([, value]) => value !== undefined && value !== null && value !== "");
}
