// The part of the page that scores a file.

import { $, define, element, toast } from "./dom.js";
import { sampleFile } from "./examples.js";
import { bytes, count, counted, duration, percent, shortened, signed } from "./format.js";
import { Histogram } from "./histogram.js";
import { Run } from "./run.js";
import { state } from "./state.js";

const BETWEEN_DRAWINGS = 150;

let run = null;
let histogram;
let address = null;
let drawn = 0;
let drawLater;
let said = 0;

function begin(file) {
  if (run?.state === "running") {
    toast(`${run.file.name} is being scored. Cancel it first.`);
    return;
  }
  if (address !== null) {
    URL.revokeObjectURL(address);
    address = null;
  }
  histogram = new Histogram();
  said = 0;
  run = new Run(file, { model: state.model, literal: state.literal }, { changed, reward: (reward) => histogram.add(reward) });
  $("run").hidden = false;
  $("run-name").textContent = file.name;
  $("run-download").hidden = true;
  $("run-cancel").hidden = false;
  announce(`Scoring ${file.name}.`);
  draw();
  $("run-name").focus();
  run.start();
}

/** Draws a few times a second, however fast the rows come, and the end in any case. */
function changed() {
  clearTimeout(drawLater);
  const wait = run.state === "running" ? drawn + BETWEEN_DRAWINGS - performance.now() : 0;
  if (wait <= 0) {
    draw();
  } else {
    drawLater = setTimeout(draw, wait);
  }
}

function draw() {
  drawn = performance.now();
  $("run-progress").value = run.share;
  $("run-words").textContent = words();
  $("run-words").classList.toggle("wrong", run.state === "stopped");
  define($("run-tiles"), tiles());
  histogram.draw(document.querySelector("#run-histogram svg"));
  $("run-histogram").hidden = run.texts === 0;
  drawFailures();
  drawRows();
  const quarter = Math.floor(4 * run.share);
  if (run.state !== "running") {
    end();
  } else if (quarter > said) {
    said = quarter;
    announce(words());
  }
}

function words() {
  const size = bytes(run.file.size);
  switch (run.state) {
    case "done": return run.rows === 0 ? `There are no rows in this file (${size}).` : `Done: ${counted(run.rows, "row")} in ${duration(run.seconds)}.`;
    case "cancelled": return `Cancelled after ${counted(run.rows, "row")}. What was scored can be downloaded.`;
    case "stopped": return `Stopped after ${counted(run.rows, "row")}: ${run.problem}`;
    default: return `${percent(run.share)} of ${size}${left()}`;
  }
}

function left() {
  const seconds = (run.seconds * (1 - run.share)) / run.share;
  return run.share > 0.005 && run.seconds > 1 ? `, about ${duration(seconds)} left` : "";
}

function tiles() {
  const rate = run.texts / Math.max(0.001, run.seconds);
  const kinds = [...run.kinds.keys()];
  return [
    ["Rows", count(run.rows)],
    ["Responses", count(run.texts)],
    ["Per second", rate < 10 ? rate.toFixed(1) : count(Math.round(rate))],
    ["Tokens", count(run.tokens)],
    ["Without a reward", count(run.failed)],
    ...(run.truncated > 0 ? [["Truncated", count(run.truncated)]] : []),
    ...(run.pairs > 0 ? [["Chosen preferred", percent(run.preferred / run.pairs)]] : []),
    ...(kinds.length > 0 ? [["Fields", kinds.length === 1 ? kinds[0] : `${kinds.length} kinds`]] : []),
  ];
}

function drawFailures() {
  const box = $("run-failures");
  box.hidden = run.failed === 0;
  const list = box.querySelector("ol");
  // The same ones stay, so that a reader's place in the list does.
  for (const { number, problem } of run.failures.slice(list.children.length)) {
    list.append(element("li", {}, element("strong", {}, `Row ${count(number)}: `), problem));
  }
  if (run.failures.length < list.children.length) {
    list.replaceChildren();
    drawFailures();
  }
  box.querySelector("h3").textContent = run.failed > run.failures.length
    ? `The first ${run.failures.length} of ${count(run.failed)} rows without a reward`
    : "Rows without a reward";
}

function drawRows() {
  $("run-rows").hidden = run.recent.length === 0;
  $("run-rows").querySelector("tbody").replaceChildren(
    ...run.recent.map((row) =>
      element("tr", {},
        element("td", {}, count(row.number)),
        element("td", {}, row.answers.slice(0, 6).map((answer) => signed(answer.reward, 2)).join("  ") + (row.answers.length > 6 ? " …" : "")),
        element("td", {}, shortened(textOf(row), 120)))));
}

function textOf({ inputs: [input] }) {
  return input.text ?? input.response ?? input.messages.at(-1).content;
}

function end() {
  $("run-cancel").hidden = true;
  announce(words());
  if (run.rows === 0) {
    return;
  }
  address ??= URL.createObjectURL(run.result());
  const link = $("run-download");
  link.href = address;
  link.download = run.file.name.replace(/(\.(jsonl|ndjson|json|txt))?(\.gz)?$/i, "") + ".rewards.jsonl";
  link.textContent = run.state === "done" ? "Download" : "Download what is done";
  link.hidden = false;
}

function announce(text) {
  $("announce").textContent = text;
}

/**
 * Starts this part.
 *
 * @param show called when a file arrives, to bring this part to the front
 */
export function start({ show }) {
  $("choose").addEventListener("click", () => $("pick").click());
  $("pick").addEventListener("change", () => {
    const [file] = $("pick").files;
    if (file) {
      begin(file);
    }
    $("pick").value = ""; // So that the same file can be chosen again.
  });
  $("sample").addEventListener("click", () => begin(sampleFile()));
  $("run-cancel").addEventListener("click", () => run.cancel());
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const over = (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      document.body.classList.add("dropping");
    }
  };
  const away = () => document.body.classList.remove("dropping");
  document.addEventListener("dragenter", over);
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && away());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) {
      return;
    }
    event.preventDefault();
    away();
    const [file, ...others] = event.dataTransfer.files;
    show();
    if (others.length > 0) {
      toast(`One file at a time: ${file.name} is scored.`);
    }
    begin(file);
  });
  addEventListener("beforeunload", (event) => {
    if (run?.state === "running") {
      event.preventDefault();
    }
  });
}
