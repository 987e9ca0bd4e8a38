// The page as a whole: model, status, theme, keys, and which of its two parts is shown.

import { advice, ask, hasKey, keep, listen, Refusal, retryNow, Unreachable } from "./api.js";
import * as compare from "./compare.js";
import { setEmbedded } from "./code.js";
import { $, element, tabs, toast } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import * as file from "./file.js";
import { counted, duration } from "./format.js";
import { addResponse, load, save, state } from "./state.js";

const EMBEDDED = "fledgling";
let models = [];

// ---- the connection ----

const [noticeWords, noticeButton] = $("notice").children;
let lost = false;

/** Says what is wrong, with one thing that can be done about it; nothing is wrong where there are no words. */
function say(words, action = "", act = () => {}) {
  $("notice").hidden = words === "";
  noticeWords.textContent = words;
  noticeButton.hidden = action === "";
  noticeButton.textContent = action;
  noticeButton.onclick = act;
}

function connectionChanged(error, wait) {
  if (error === null) {
    if (lost) {
      lost = false;
      say("");
      loadModels(); // It may have been started again with others.
    }
    return;
  }
  lost = true;
  const what = error instanceof Unreachable
    ? "The server does not answer. Is it still running? Your texts are kept here."
    : `The server has no room: ${error.message}`;
  say(`${what} Trying again in ${duration(wait / 1000)}.`, "Try at once", retryNow);
}

let keyAnswer = null;
let keyRefused = false;

/** Shows the dialog for a key once, however many requests were refused; not again where it was closed without one. */
function askForKey(error) {
  if (keyRefused) {
    return false;
  }
  keyAnswer ??= new Promise((done) => {
    const dialog = $("key");
    $("key-problem").textContent = hasKey() ? error.message : "";
    $("key-text").value = "";
    dialog.returnValue = "";
    dialog.showModal();
    dialog.addEventListener("close", () => {
      keyAnswer = null;
      keyRefused = dialog.returnValue !== "use";
      if (keyRefused) {
        say("Without its key this server answers nothing.", "Give the key", () => {
          keyRefused = false;
          say("");
          loadModels();
          compare.changed();
        });
      } else {
        keep($("key-text").value.trim());
      }
      done(!keyRefused);
    }, { once: true });
  });
  return keyAnswer;
}

let busyLater;

/** Only what takes a while is worth saying. */
function setWorking(busy) {
  clearTimeout(busyLater);
  const show = () => $("status").classList.toggle("busy", busy);
  busyLater = setTimeout(show, busy ? 250 : 0);
}

// ---- the models ----

async function loadModels() {
  try {
    models = (await ask("v1/models")).data;
  } catch (error) {
    if (error.status !== 401) {
      say(error instanceof Refusal ? `${error.message} ${advice(error)}`.trim() : String(error));
    }
    return;
  }
  // What the server was started with, for texts that are not trusted, a page does not undo.
  const literal = models.some((model) => model.literal);
  $("literal").disabled = literal;
  if (literal && !state.literal) {
    state.literal = $("literal").checked = true;
    compare.changed();
  }
  const select = $("model");
  select.replaceChildren(...models.map((model) => element("option", { value: model.id }, model.id)));
  const several = models.length > 1;
  select.hidden = $("model-label").hidden = !several;
  const chosen = several && models.some((model) => model.id === state.model) ? state.model : null;
  if (chosen !== state.model) {
    state.model = chosen;
    compare.changed();
  }
  select.value = state.model ?? models[0]?.id;
  showModel();
}

const current = () => models.find((model) => model.id === state.model) ?? models[0];

function showModel() {
  const model = current();
  if (!model) {
    return;
  }
  const several = models.length > 1;
  $("model-name").textContent = several ? "" : model.id;
  $("model-name").title = `${counted(model.context_length, "token")}, template ${model.template}`;
  const embedded = model.id === EMBEDDED;
  $("about").hidden = !embedded;
  setEmbedded(embedded);
}

// ---- the theme ----

const THEMES = ["system", "light", "dark"];

function listenToTheme() {
  const button = $("theme");
  const root = document.documentElement;
  const show = () => {
    const theme = root.dataset.theme ?? "system";
    button.textContent = { system: "◐", light: "☀", dark: "☾" }[theme];
    button.setAttribute("aria-label", `Theme: ${theme}. Change it.`);
    button.title = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
    if (next === "system") {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = next;
    }
    try {
      localStorage.setItem("murmur.theme", next);
    } catch {
      // Without storage the theme lasts until the page is left.
    }
    show();
  });
  show();
}

// ---- start ----

function show(view) {
  state.view = view;
  $("compare").hidden = view !== "compare";
  $("file").hidden = view !== "file";
  save();
}

function start() {
  const { any, replaced } = load();
  if (!any) {
    state.prompt = EXAMPLES[0].prompt;
    EXAMPLES[0].responses.forEach((text) => addResponse(text));
  }
  listen({ key: askForKey, changed: connectionChanged });
  addEventListener("online", retryNow);
  listenToTheme();
  const choose = tabs([$("tab-compare"), $("tab-file")], (id) => show(id.slice("tab-".length)));
  choose(`tab-${state.view}`);
  $("help-open").addEventListener("click", () => $("help").showModal());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("textarea, input:not([type=checkbox], [type=radio]), select");
    if (event.key === "?" && !typing && !document.querySelector("dialog[open]")) {
      $("help").showModal();
    }
  });
  $("literal").checked = state.literal;
  $("literal").addEventListener("change", () => {
    state.literal = $("literal").checked;
    compare.changed();
  });
  $("model").addEventListener("change", () => {
    state.model = $("model").value;
    showModel();
    compare.changed();
  });
  compare.start({ model: (id) => models.find((model) => model.id === id), working: setWorking });
  file.start({ show: () => choose("tab-file") });
  loadModels();
  if (replaced !== null) {
    toast("A link's texts are shown in the place of yours.", "Undo", () => compare.replace(replaced.prompt, replaced.responses));
  }
}

start();
