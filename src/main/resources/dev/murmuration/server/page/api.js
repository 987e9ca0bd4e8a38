// The server: requests, keys, and what to do when it does not answer.

const KEY = "murmur.key";
const LONGEST_WAIT = 15_000;
const MOST_REFUSALS = 5;

/** An answer that is an error; the message is the server's. */
export class Refusal extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** There was no answer. */
export class Unreachable extends Error {}

/** Whether an error says only that the page has a newer question. */
export const isAbort = (error) => error?.name === "AbortError";

let askForKey = async () => false;
let connection = () => {};
const waiting = new Set();

/**
 * Sets who is told of the connection.
 *
 * @param key asked for a key when the server wants one; answers whether there is one
 * @param changed told null while all is well, otherwise what is wrong and in how many milliseconds it is tried again
 */
export function listen({ key, changed }) {
  askForKey = key;
  connection = changed;
}

/** Ends all waits between two attempts. */
export const retryNow = () => waiting.forEach((wake) => wake());

export function keep(key) {
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // Without storage the key is asked for again after a reload.
  }
  kept = key;
}

let kept = (() => {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
})();

export const hasKey = () => kept !== "";

/** The address of a route, also where the page is served below a path of a proxy. */
export const address = (route) => new URL(route, document.baseURI).href;

async function once(route, body, signal) {
  const headers = kept ? { authorization: `Bearer ${kept}` } : {};
  if (body !== undefined) {
    headers["content-type"] = "application/json";
  }
  let response;
  let text;
  try {
    response = await fetch(address(route), {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      cache: "no-store",
    });
    text = await response.text();
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    throw new Unreachable("The server does not answer.");
  }
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // What is not JSON comes from something between this page and the server.
  }
  if (!response.ok) {
    const message = answer?.error?.message ?? `The server answered ${response.status} without saying why.`;
    throw new Refusal(response.status, message, Number(response.headers.get("retry-after")));
  }
  if (answer === null) {
    throw new Refusal(response.status, "The answer is not JSON; is there a proxy between this page and the server?");
  }
  return answer;
}

const passes = (error) => error instanceof Unreachable || [429, 502, 503].includes(error.status);

function pause(milliseconds, signal) {
  return new Promise((done, fail) => {
    const end = (act) => () => {
      clearTimeout(ends);
      waiting.delete(wake);
      signal?.removeEventListener("abort", aborted);
      act();
    };
    const wake = end(done);
    const aborted = end(() => fail(signal.reason));
    const ends = setTimeout(wake, milliseconds);
    waiting.add(wake);
    signal?.addEventListener("abort", aborted);
  });
}

/**
 * Asks the server; while it cannot be reached or is full, again and again, ever more seldom.
 *
 * @param body sent as JSON; a GET without one
 * @returns what it answers
 * @throws Refusal if it refuses the request, or five times has no room for it
 */
export async function ask(route, body, signal) {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await once(route, body, signal);
      connection(null);
      return answer;
    } catch (error) {
      if (error instanceof Refusal && error.status === 401 && (await askForKey(error, signal))) {
        continue;
      }
      const given = error instanceof Refusal && tries >= MOST_REFUSALS;
      if (!passes(error) || given) {
        if (error instanceof Refusal) {
          connection(null);
        }
        throw error;
      }
      const wait = error.retryAfter > 0 ? 1000 * error.retryAfter : Math.min(LONGEST_WAIT, 500 * 2 ** tries);
      connection(error, wait);
      await pause(wait, signal);
    }
  }
}

/** What to do about a refusal, behind the server's own words. */
export function advice(error) {
  switch (error.status) {
    case 401: return "Reload the page to give another key.";
    case 403:
    case 421: return "Open the page by the address that the server printed when it started.";
    case 413: return "Shorten the texts, or start the server with higher --max-… limits.";
    case 429: return "Other requests fill the queue; try again in a moment.";
    case 503:
    case 504: return "It took too long, or the server is closing; try fewer or shorter texts.";
    default: return error.status >= 500 ? "The server's own output says more." : "";
  }
}
