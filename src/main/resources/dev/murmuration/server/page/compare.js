// Compares the responses: asks as one types, and shows what is answered.

import { advice, ask, isAbort, Refusal } from "./api.js";
import { Card, fit } from "./card.js";
import { forms, request } from "./code.js";
import { $, define, element, tabs, toast } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { duration } from "./format.js";
import { scaleOf, tokensOf } from "./heat.js";
import { factsOf, showRanking, showWhy, spokenRanking } from "./ranking.js";
import { addResponse, MOST_RESPONSES, save, saveAtOnce, state } from "./state.js";

const SHORTEST_DELAY = 25;
const LONGEST_DELAY = 400;
const TRACE_DELAY = 150;
const SPEECH_DELAY = 900;
const MOST_TRACES = 200;

const cards = new Map();
const traces = new Map();
let entries = [];
let delay = SHORTEST_DELAY;
let asking = null;
let tracing = null;
let askLater;
let traceLater;
let speakLater;
let models = () => undefined;
let busy = () => {};

// ---- asking ----

/** Something that is asked about has changed. */
export function changed() {
  save();
  clearTimeout(askLater);
  askLater = setTimeout(score, delay);
}

/** Asks for the rewards; a question that is still open is withdrawn, and the server stops computing it. */
async function score() {
  asking?.abort();
  tracing?.abort();
  clearTimeout(traceLater);
  // Copies: the texts may change while the server computes.
  const asked = state.responses.filter((response) => response.text !== "").map((response) => ({ ...response }));
  const hint = state.prompt === "" ? "Type a prompt." : asked.length === 0 ? "Type a response." : "";
  if (hint) {
    asking = null;
    busy(false);
    showNothing(hint);
    return;
  }
  const question = new AbortController();
  asking = question;
  busy(true);
  for (const card of cards.values()) {
    card.stale();
  }
  try {
    const started = performance.now();
    const answer = await ask("v1/rewards", request(false), question.signal);
    const took = performance.now() - started;
    // A slow model is not asked at every key.
    delay = Math.max(SHORTEST_DELAY, Math.min(LONGEST_DELAY, took / 2));
    show(asked, answer, duration(took / 1000));
    traceLater = setTimeout(trace, TRACE_DELAY);
  } catch (error) {
    if (!isAbort(error)) {
      showNothing("");
      complain(error);
    }
  } finally {
    if (asking === question) {
      busy(false);
    }
  }
}

function complain(error) {
  const hint = $("ranking-hint");
  hint.hidden = false;
  hint.textContent = error instanceof Refusal ? `${error.message} ${advice(error)}`.trim() : String(error.message ?? error);
  hint.classList.add("wrong");
}

function showNothing(hint) {
  entries = [];
  showRanking([], focusResponse);
  showWhy([]);
  $("details").hidden = $("ranking-caption").hidden = true;
  $("ranking-hint").hidden = hint === "";
  $("ranking-hint").textContent = hint;
  $("ranking-hint").classList.remove("wrong");
  for (const card of cards.values()) {
    card.show(null);
    card.heat.hide();
  }
}

function show(asked, answer, took) {
  const scored = answer.data.filter((each) => each.error === undefined);
  const byLetter = new Map(answer.data.map((each) => [asked[each.index].letter, { ...each, of: scored.length }]));
  entries = scored
    .map((each) => ({
      letter: asked[each.index].letter,
      text: asked[each.index].text,
      reward: each.reward,
      rank: each.rank ?? 1,
      probability: each.probability_of_best ?? 1,
    }))
    .sort((a, b) => a.rank - b.rank);
  $("ranking-hint").hidden = true;
  $("ranking-caption").hidden = entries.length < 2;
  showRanking(entries, focusResponse);
  for (const [letter, card] of cards) {
    card.show(byLetter.get(letter) ?? null);
  }
  showHeat();
  $("details").hidden = false;
  define($("facts"), factsOf(answer, models(answer.model)?.context_length, took));
  clearTimeout(speakLater);
  speakLater = setTimeout(() => ($("announce").textContent = spokenRanking(entries)), SPEECH_DELAY);
}

// ---- heat maps ----

const traceKey = (text) => JSON.stringify([state.model, state.literal, state.prompt, text]);
const tokensBy = (letter) => {
  const entry = entries.find((each) => each.letter === letter);
  const found = entry && state.heat ? traces.get(traceKey(entry.text)) : undefined;
  return Array.isArray(found) ? found : undefined;
};

/** Asks for the traces that are not known, the best response first, one at a time. */
async function trace() {
  tracing?.abort();
  if (!state.heat) {
    return;
  }
  const question = new AbortController();
  tracing = question;
  for (const { text } of entries) {
    const key = traceKey(text);
    if (traces.has(key)) {
      continue;
    }
    const { prompt, responses, ...rest } = request(true);
    try {
      const answer = await ask("v1/rewards", { ...rest, inputs: [{ prompt, response: text }] }, question.signal);
      const [only] = answer.data;
      remember(key, only.error === undefined ? tokensOf(only) : only.error.message);
    } catch (error) {
      if (isAbort(error)) {
        return;
      }
      if (!(error instanceof Refusal)) {
        throw error;
      }
      remember(key, error.message);
    }
    showHeat();
  }
}

function remember(key, value) {
  traces.set(key, value);
  if (traces.size > MOST_TRACES) {
    traces.delete(traces.keys().next().value);
  }
}

function showHeat() {
  const known = new Map(entries.map((entry) => [entry.letter, state.heat ? traces.get(traceKey(entry.text)) : undefined]));
  const lists = [...known.values()].filter(Array.isArray);
  const scale = scaleOf(lists, state.colour);
  for (const [letter, card] of cards) {
    const found = known.get(letter);
    if (Array.isArray(found)) {
      card.heat.show(found, scale);
    } else if (typeof found === "string") {
      card.heat.fail(`No heat map: ${found}`);
    } else if (!known.has(letter) || !state.heat) {
      card.heat.hide();
    } else {
      card.heat.stale();
    }
  }
  $("legend").hidden = !state.heat || lists.length === 0;
  $("legend-words").textContent = state.colour === "change"
    ? "A line above a token: it raises the reward. Below: it lowers it."
    : "A line above a token: the reward there is higher than at the middle one of all these tokens. Below: lower.";
  showWhy(entries, tokensBy);
}

// ---- the cards ----

function build() {
  cards.clear();
  for (const response of state.responses) {
    cards.set(response.letter, new Card(response, { changed, removed, moved }));
  }
  arrange();
}

function arrange() {
  const box = $("cards");
  state.responses.forEach((response, i) => {
    const { root } = cards.get(response.letter);
    if (box.children[i] !== root) {
      box.insertBefore(root, box.children[i] ?? null);
    }
  });
  while (box.children.length > state.responses.length) {
    box.lastChild.remove();
  }
  state.responses.forEach((response, i) => cards.get(response.letter).place(i, state.responses.length));
  $("add").disabled = state.responses.length >= MOST_RESPONSES;
}

function focusResponse(letter) {
  const { text, root } = cards.get(letter);
  text.focus();
  root.scrollIntoView({ block: "nearest" });
}

function add(text = "", letter, at) {
  const response = addResponse(text, letter, at);
  if (response === null) {
    toast(`There are ${MOST_RESPONSES} responses, as many as can be compared here. Score a file instead.`);
    return;
  }
  cards.set(response.letter, new Card(response, { changed, removed, moved }));
  arrange();
  focusResponse(response.letter);
  changed();
}

function removed(response) {
  const at = state.responses.indexOf(response);
  state.responses.splice(at, 1);
  cards.delete(response.letter);
  arrange();
  const next = state.responses[Math.min(at, state.responses.length - 1)];
  (next ? cards.get(next.letter).text : $("add")).focus();
  toast(`Response ${response.letter} is removed.`, "Undo", () => add(response.text, response.letter, at));
  changed();
}

function moved(response, by) {
  const from = state.responses.indexOf(response);
  state.responses.splice(from, 1);
  state.responses.splice(from + by, 0, response);
  const focused = document.activeElement;
  arrange();
  focused?.focus();
  save();
}

/** The best first; those without a reward stay behind the others in their order. */
function sort() {
  const rank = new Map(entries.map((entry, i) => [entry.letter, i]));
  const of = (response) => rank.get(response.letter) ?? entries.length;
  state.responses.sort((a, b) => of(a) - of(b));
  const focused = document.activeElement;
  arrange();
  focused?.focus();
  save();
}

/** Shows other texts instead. */
export function replace(prompt, responses) {
  state.prompt = prompt;
  state.responses = [];
  responses.forEach((text) => addResponse(text));
  $("prompt").value = prompt;
  build();
  fit($("prompt"));
  changed();
}

function takeExample({ prompt, responses }) {
  const before = { prompt: state.prompt, responses: state.responses.map((response) => response.text) };
  replace(prompt, responses);
  if (before.prompt !== "" && !EXAMPLES.some((example) => example.prompt === before.prompt)) {
    toast("Your texts were replaced.", "Undo", () => replace(before.prompt, before.responses));
  }
}

// ---- copying ----

function listenToCopy() {
  const names = Object.keys(forms);
  const choose = tabs(names.map($), (id) => {
    const [words, text] = forms[id];
    $("copy-words").textContent = words;
    $("copy-text").value = text();
    $("copy-panel").setAttribute("aria-labelledby", id);
    $("copy-said").textContent = "";
  });
  $("copy-open").addEventListener("click", () => {
    choose(names.find((name) => $(name).getAttribute("aria-selected") === "true"));
    $("copy").showModal();
  });
  $("copy-do").addEventListener("click", async () => {
    const text = $("copy-text");
    try {
      await navigator.clipboard.writeText(text.value);
      $("copy-said").textContent = "Copied.";
    } catch {
      // Browsers give the clipboard to pages of this computer and to encrypted ones only.
      text.select();
      $("copy-said").textContent = document.execCommand("copy") ? "Copied." : "Selected: copy it with the keyboard.";
    }
  });
}

// ---- keys ----

function step(by) {
  const texts = [$("prompt"), ...state.responses.map((response) => cards.get(response.letter).text)];
  const at = texts.indexOf(document.activeElement);
  texts[Math.max(0, Math.min(texts.length - 1, at < 0 ? 0 : at + by))].focus();
}

const KEYS = {
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
  KeyR: sort,
  KeyH: () => $("heat").click(),
  KeyC: () => $("copy-open").click(),
};

function pressed(event) {
  if (state.view !== "compare" || document.querySelector("dialog[open]")) {
    return;
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    add();
  } else if (event.altKey && !event.ctrlKey && !event.metaKey && KEYS[event.code]) {
    event.preventDefault();
    KEYS[event.code]();
  }
}

// ---- start ----

/**
 * Starts the comparison.
 *
 * @param model what is known of a model of that name
 * @param working told whether a question is open
 */
export function start({ model, working }) {
  models = model;
  busy = working;
  const prompt = $("prompt");
  prompt.value = state.prompt;
  prompt.addEventListener("input", () => {
    state.prompt = prompt.value;
    fit(prompt);
    changed();
  });
  for (const example of EXAMPLES) {
    const button = element("button", { type: "button", className: "chip" }, example.name);
    button.addEventListener("click", () => takeExample(example));
    document.querySelector(".examples").append(button);
  }
  $("add").addEventListener("click", () => add());
  $("sort").addEventListener("click", sort);
  $("details").open = matchMedia("(min-width: 1041px)").matches; // On a phone it would stand before the responses.
  listenToSwitches();
  listenToCopy();
  document.addEventListener("keydown", pressed);
  addEventListener("pagehide", saveAtOnce);
  build();
  fit(prompt);
  score();
}

function listenToSwitches() {
  $("heat").checked = state.heat;
  $("heat").addEventListener("change", () => {
    state.heat = $("heat").checked;
    save();
    showHeat();
    trace();
  });
  for (const choice of document.querySelectorAll("[name=colour]")) {
    choice.checked = choice.value === state.colour;
    choice.addEventListener("change", () => {
      state.colour = choice.value;
      save();
      showHeat();
    });
  }
}
