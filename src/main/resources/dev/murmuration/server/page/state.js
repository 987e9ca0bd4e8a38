// What the page shows, kept in this browser so that a reload loses nothing.

const KEPT = "murmur.page";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Texts that can be compared at once: as many as there are letters to call them by. */
export const MOST_RESPONSES = LETTERS.length;

export const state = {
  view: "compare",
  prompt: "",
  responses: [],
  model: null,
  literal: false,
  heat: true,
  colour: "reward",
};

const isText = (value) => typeof value === "string";

/** Takes what is of the right kind, and nothing else: a link may come from anywhere. */
function adopt(from) {
  state.view = from.view === "file" ? "file" : "compare";
  state.prompt = isText(from.prompt) ? from.prompt : "";
  state.responses = [];
  const texts = Array.isArray(from.responses) ? from.responses : [];
  for (const each of texts.slice(0, MOST_RESPONSES)) {
    if (isText(each)) {
      addResponse(each);
    } else if (isText(each?.text)) {
      addResponse(each.text, each.letter);
    }
  }
  state.model = isText(from.model) ? from.model : null;
  state.literal = from.literal === true;
  state.heat = from.heat !== false;
  state.colour = from.colour === "change" ? "change" : "reward";
}

/** Adds a response under a letter that it keeps wherever it moves. */
export function addResponse(text, wanted, at = state.responses.length) {
  const taken = new Set(state.responses.map((response) => response.letter));
  const free = [...LETTERS].filter((letter) => !taken.has(letter));
  if (free.length === 0) {
    return null;
  }
  const response = { letter: free.includes(wanted) ? wanted : free[0], text };
  state.responses.splice(at, 0, response);
  return response;
}

/**
 * What was kept, or what a link holds, which is taken out of the address then.
 *
 * @returns any: whether there was something; replaced: the texts that a link took the place of, or null
 */
export function load() {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT));
  } catch {
    // Without storage, or with a damaged one, the page begins anew.
  }
  const isLink = location.hash.startsWith("#s=");
  const linked = isLink ? unpacked(location.hash.slice(3)) : null;
  if (isLink) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  adopt(kept ?? {});
  if (linked === null) {
    return { any: kept !== null, replaced: null };
  }
  const replaced = state.prompt === "" ? null : { prompt: state.prompt, responses: state.responses.map((response) => response.text) };
  adopt({ ...state, view: "compare", ...linked });
  return { any: true, replaced };
}

let later;

export function save() {
  clearTimeout(later);
  later = setTimeout(saveAtOnce, 150);
}

export function saveAtOnce() {
  clearTimeout(later);
  try {
    localStorage.setItem(KEPT, JSON.stringify(state));
  } catch {
    // Full or forbidden: the page works, and forgets.
  }
}

/** The page's address with what is compared behind the #, which browsers do not send. */
export function link() {
  const { prompt, responses, model, literal } = state;
  const bytes = new TextEncoder().encode(
    JSON.stringify({ prompt, responses: responses.map((response) => response.text), model, literal }));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const packed = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `${location.origin}${location.pathname}#s=${packed}`;
}

function unpacked(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const found = JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
    return typeof found === "object" ? found : null;
  } catch {
    return null;
  }
}
