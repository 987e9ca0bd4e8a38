// Rows of JSON lines: how a file is cut into them, what is scored of each, and what is written behind it.

const MOST_BYTES = 16 * 1024 * 1024;
const FIELD = "murmur";
const HUMAN = "\n\nHuman:";
const ASSISTANT = "\n\nAssistant:";

const isText = (value) => typeof value === "string";
const isMessage = (value) => isText(value?.role) && isText(value?.content);
const isMessages = (value) => Array.isArray(value) && value.length > 0 && value.every(isMessage);

function wrong(name, expected) {
  return new Error(`the field "${name}" is not ${expected}`);
}

// What else a message holds, such as a name, no template asks for.
const plain = (messages) => messages.map(({ role, content }) => ({ role, content }));

function answered(prompt, response) {
  if (!isText(response)) {
    throw new Error("a response is not a string");
  }
  if (isMessages(prompt)) {
    return { messages: [...plain(prompt), { role: "assistant", content: response }] };
  }
  if (!isText(prompt)) {
    throw wrong("prompt", "a string or a list of messages");
  }
  return prompt.startsWith(HUMAN)
    ? { messages: [...transcript(prompt).slice(0, -1), { role: "assistant", content: response }] }
    : { prompt, response };
}

/** The messages of a text as HH-RLHF and Nectar have them; the same mark twice is part of what was said. */
function transcript(text) {
  const messages = [];
  let from = HUMAN.length;
  for (let human = true; ; human = !human) {
    const next = human ? ASSISTANT : HUMAN;
    const end = text.indexOf(next, from);
    const content = text.slice(from, end < 0 ? undefined : end).replace(/^ /, "");
    messages.push({ role: human ? "user" : "assistant", content });
    if (end < 0) {
      break;
    }
    from = end + next.length;
  }
  if (messages.at(-1).role !== "assistant") {
    throw new Error('the transcript does not end with what the assistant says, behind "\\n\\nAssistant:"');
  }
  return messages;
}

function side(row, name) {
  const value = row[name];
  if (isMessages(value)) {
    const before = isMessages(row.prompt) ? row.prompt : isText(row.prompt) && value.length === 1 ? [{ role: "user", content: row.prompt }] : [];
    return { messages: plain([...before, ...value]) };
  }
  if (!isText(value)) {
    throw wrong(name, "a string or a list of messages");
  }
  if (row.prompt !== undefined && row.prompt !== null) {
    return answered(row.prompt, value);
  }
  return value.startsWith(HUMAN) ? { messages: transcript(value) } : { text: value };
}

const has = (row, ...names) => names.every((name) => row[name] !== undefined && row[name] !== null);

function list(row, name) {
  if (!Array.isArray(row[name]) || row[name].length === 0) {
    throw wrong(name, "a list with something in it");
  }
  return row[name];
}

/** What a row is recognized by, the more special kinds first. */
const KINDS = [
  [["chosen", "rejected"], (row) => [side(row, "chosen"), side(row, "rejected")]],
  [["prompt", "answers"], (row) => list(row, "answers").map((each) => answered(row.prompt, each?.answer))],
  [["prompt", "responses"], (row) => list(row, "responses").map((each) => answered(row.prompt, each))],
  [["prompt", "response"], (row) => [answered(row.prompt, row.response)]],
  [["messages"], (row) => {
    if (!isMessages(row.messages)) {
      throw wrong("messages", "a list of messages with role and content");
    }
    return [{ messages: plain(row.messages) }];
  }],
  [["text"], (row) => {
    if (!isText(row.text)) {
      throw wrong("text", "a string");
    }
    return [{ text: row.text }];
  }],
];

/**
 * Reads a row.
 *
 * @returns its kind, what is scored, whether the first is preferred to the second, and the row
 * @throws Error if it is none, in words
 */
export function read(line) {
  let row;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw new Error(`the row is not JSON: ${error.message}`);
  }
  if (row === null || typeof row !== "object" || Array.isArray(row)) {
    throw new Error("the row is not a JSON object");
  }
  for (const [names, inputs] of KINDS) {
    if (has(row, ...names)) {
      return { kind: names.join(", "), inputs: inputs(row), isPair: names[0] === "chosen", row };
    }
  }
  throw new Error('the row holds nothing to score: give "prompt" and "response", "messages" or "text". "murmur batch" reads more kinds');
}

function probabilities(rewards) {
  const most = Math.max(...rewards);
  const weights = rewards.map((reward) => Math.exp(reward - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => Number((weight / sum).toPrecision(7)));
}

/** What is written behind a row's own fields; the same fields as "murmur batch" writes. */
export function resultOf(number, answers) {
  if (answers.length === 1) {
    const [{ reward, tokens, truncated_tokens }] = answers;
    return { row: number, reward, tokens, truncated_tokens };
  }
  const rewards = answers.map((answer) => answer.reward);
  return {
    row: number,
    rewards,
    ranks: rewards.map((reward) => 1 + rewards.filter((other) => other > reward).length),
    probabilities: probabilities(rewards),
    tokens: answers.map((answer) => answer.tokens),
    truncated_tokens: answers.map((answer) => answer.truncated_tokens),
  };
}

/** The row's text as it was, with one more field; rows that are no objects are left out. */
export function written(line, row, result) {
  if (row === undefined) {
    return JSON.stringify({ [FIELD]: result });
  }
  if (Object.hasOwn(row, FIELD)) {
    return JSON.stringify({ ...row, [FIELD]: result });
  }
  const before = line.trim().slice(0, -1).trimEnd();
  return `${before}${before.endsWith("{") ? "" : ","}"${FIELD}":${JSON.stringify(result)}}`;
}

/**
 * The lines of a file, which is never held as a whole.
 *
 * @param seen told how many bytes of the file were read
 * @yields number from 1, bytes, and either the text or what is wrong with it
 */
export async function* lines(file, seen) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let pending = [];
  let size = 0;
  const line = () => {
    number++;
    const bytes = size;
    const parts = pending;
    pending = [];
    size = 0;
    if (bytes > MOST_BYTES) {
      return { number, bytes, problem: `the row has more than ${MOST_BYTES / 1024 / 1024} MiB` };
    }
    try {
      return { number, bytes, text: decoder.decode(joined(parts, bytes)).trim() };
    } catch {
      return { number, bytes, problem: "the row is not UTF-8" };
    }
  };
  for await (const chunk of await unpacked(file, seen)) {
    let from = 0;
    for (let end; (end = chunk.indexOf(10, from)) >= 0; from = end + 1) {
      size += end - from;
      keep(pending, chunk.subarray(from, end), size);
      yield line();
    }
    size += chunk.length - from;
    keep(pending, chunk.subarray(from), size);
  }
  if (size > 0) {
    yield line();
  }
}

/** Of a row that is too long nothing is kept. */
function keep(pending, part, size) {
  if (size > MOST_BYTES) {
    pending.length = 0;
  } else if (part.length > 0) {
    pending.push(part);
  }
}

function joined(parts, size) {
  if (parts.length === 1) {
    return parts[0];
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The file's bytes in chunks, unpacked if they begin as those of gzip do. */
async function* unpacked(file, seen) {
  const start = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const isPacked = start[0] === 0x1f && start[1] === 0x8b;
  let read = 0;
  const counted = new TransformStream({
    transform(chunk, to) {
      read += chunk.length;
      seen(read);
      to.enqueue(chunk);
    },
  });
  const stream = file.stream().pipeThrough(counted);
  const reader = (isPacked ? stream.pipeThrough(new DecompressionStream("gzip")) : stream).getReader();
  try {
    for (let next; !(next = await reader.read()).done; ) {
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
