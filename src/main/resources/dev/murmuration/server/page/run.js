// Scores the rows of a file: several requests under way, results in the file's order, memory for none of it as a whole.

import { ask, isAbort, Refusal } from "./api.js";
import { lines, read, resultOf, written } from "./rows.js";

const UNDER_WAY = 3;
const FIRST_SIZE = 8;
const MOST_INPUTS = 256;
const MOST_CHARACTERS = 200_000;
const QUICK = 700;
const SLOW = 4000;
const PART = 1 << 20;
const SHOWN_FAILURES = 100;

/** Refusals that every further row would meet, too. */
const FINAL = [401, 403, 404, 405, 415, 421];

export class Run {
  #abort = new AbortController();
  #size = FIRST_SIZE;
  #read = 0;
  #pending = [];
  #pendingLength = 0;
  #parts = [];

  rows = 0;
  failed = 0;
  texts = 0;
  tokens = 0;
  truncated = 0;
  pairs = 0;
  preferred = 0;
  kinds = new Map();
  failures = [];
  recent = [];
  bytes = 0;
  state = "running";
  problem = "";

  /**
   * Prepares a run.
   *
   * @param options model (null for the first one) and literal
   * @param changed called after every batch, and at the end
   * @param reward called with each reward
   */
  constructor(file, options, { changed, reward }) {
    this.file = file;
    this.options = options;
    this.changed = changed;
    this.reward = reward;
    this.started = performance.now();
    this.ended = null;
  }

  /** How much of the file is done, from 0 to 1. */
  get share() {
    if (this.state === "done") {
      return 1;
    }
    // Of a packed file it is known only how much was read.
    const done = this.bytes > this.file.size ? this.#read : this.bytes;
    return this.file.size === 0 ? 0 : Math.min(1, done / this.file.size);
  }

  get seconds() {
    return ((this.ended ?? performance.now()) - this.started) / 1000;
  }

  cancel() {
    this.#abort.abort();
  }

  async start() {
    const underWay = [];
    try {
      for await (const batch of this.#batches()) {
        const scored = this.#score(batch.filter((row) => row.inputs)).then(() => batch);
        scored.catch(() => {}); // It is awaited below, unless one before it fails.
        underWay.push(scored);
        if (underWay.length >= UNDER_WAY) {
          this.#write(await underWay.shift());
        }
      }
      while (underWay.length > 0) {
        this.#write(await underWay.shift());
      }
      this.state = "done";
    } catch (error) {
      this.state = isAbort(error) ? "cancelled" : "stopped";
      this.problem = isAbort(error) ? "" : error.message;
      this.#abort.abort();
    }
    this.ended = performance.now();
    this.changed();
  }

  /** What is done, as a file. */
  result() {
    return new Blob([...this.#parts, ...this.#pending], { type: "application/x-ndjson" });
  }

  // ---- reading ----

  async *#batches() {
    let batch = [];
    let inputs = 0;
    let characters = 0;
    for await (const line of lines(this.file, (read) => (this.#read = read))) {
      this.#abort.signal.throwIfAborted();
      const row = rowOf(line);
      batch.push(row);
      inputs += row.inputs?.length ?? 0;
      characters += row.text?.length ?? 0;
      if (inputs >= this.#size || characters >= MOST_CHARACTERS || batch.length >= MOST_INPUTS) {
        yield batch;
        batch = [];
        inputs = 0;
        characters = 0;
      }
    }
    if (batch.length > 0) {
      yield batch;
    }
  }

  // ---- scoring ----

  /** Gives each row its answers or its problem; a request that is refused is tried again in halves. */
  async #score(rows) {
    if (rows.length === 0) {
      return;
    }
    const inputs = rows.flatMap((row) => row.inputs);
    try {
      const started = performance.now();
      const answer = await ask("v1/rewards", this.#request(inputs), this.#abort.signal);
      this.#adapt(performance.now() - started);
      take(rows, answer.data);
    } catch (error) {
      if (!(error instanceof Refusal) || FINAL.includes(error.status)) {
        throw error;
      }
      if (rows.length === 1) {
        rows[0].problem = placed(error.message, inputs.length);
        return;
      }
      const half = rows.length >> 1;
      await this.#score(rows.slice(0, half));
      await this.#score(rows.slice(half));
    }
  }

  #request(inputs) {
    const request = { inputs };
    if (this.options.model !== null) {
      request.model = this.options.model;
    }
    if (this.options.literal) {
      request.literal = true;
    }
    return request;
  }

  /** Requests that take about a second, whatever the model: the progress is seen, and the server has enough at once. */
  #adapt(milliseconds) {
    if (milliseconds < QUICK) {
      this.#size = Math.min(MOST_INPUTS, 2 * this.#size);
    } else if (milliseconds > SLOW) {
      this.#size = Math.max(1, this.#size >> 1);
    }
  }

  // ---- writing ----

  #write(batch) {
    for (const row of batch) {
      this.bytes += row.bytes + 1;
      if (row.text === "") {
        continue;
      }
      this.rows++;
      if (row.problem === undefined) {
        this.#count(row);
        this.#append(written(row.text, row.row, resultOf(row.number, row.answers)));
      } else {
        this.failed++;
        if (this.failures.length < SHOWN_FAILURES) {
          this.failures.push({ number: row.number, problem: row.problem });
        }
        this.#append(written(row.text, row.row, { row: row.number, error: row.problem }));
      }
    }
    this.changed();
  }

  #count(row) {
    for (const answer of row.answers) {
      this.texts++;
      this.tokens += answer.tokens;
      this.truncated += answer.truncated_tokens > 0 ? 1 : 0;
      this.reward(answer.reward);
    }
    this.kinds.set(row.kind, (this.kinds.get(row.kind) ?? 0) + 1);
    if (row.isPair) {
      const [chosen, rejected] = row.answers.map((answer) => answer.reward);
      this.pairs++;
      this.preferred += chosen > rejected ? 1 : chosen === rejected ? 0.5 : 0;
    }
    this.recent.push(row);
    this.recent.splice(0, this.recent.length - 8);
  }

  /** Strings become blobs, which a browser may keep outside of its memory. */
  #append(line) {
    this.#pending.push(line, "\n");
    this.#pendingLength += line.length + 1;
    if (this.#pendingLength >= PART) {
      this.#parts.push(new Blob(this.#pending));
      this.#pending = [];
      this.#pendingLength = 0;
    }
  }
}

function rowOf(line) {
  const row = { number: line.number, bytes: line.bytes, text: line.text, problem: line.problem };
  if (line.problem !== undefined || line.text === "") {
    return row;
  }
  try {
    return Object.assign(row, read(line.text));
  } catch (error) {
    row.problem = error.message;
    row.row = object(line.text);
    return row;
  }
}

/** A row that holds nothing to score keeps its fields all the same. */
function object(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The server's words for a request of one row, in which an input is a text of that row. */
function placed(message, inputs) {
  return message.replace(/^inputs\[(\d+)\][^:]*: /, (_, at) => (inputs === 1 ? "" : `response ${Number(at) + 1}: `));
}

function take(rows, data) {
  const answers = [];
  for (const each of data) {
    answers[each.index] = each;
  }
  let from = 0;
  for (const row of rows) {
    row.answers = answers.slice(from, from + row.inputs.length);
    from += row.inputs.length;
    const failed = row.answers.find((answer) => answer.error !== undefined);
    if (failed) {
      row.problem = failed.error.message;
    }
  }
}
