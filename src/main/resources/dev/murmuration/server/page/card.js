// One response: its text, what it got, and its heat map.

import { $ } from "./dom.js";
import { counted, percent, signed } from "./format.js";
import { HeatMap } from "./heat.js";

export class Card {
  constructor(response, { changed, removed, moved }) {
    this.response = response;
    this.root = $("card").content.firstElementChild.cloneNode(true);
    const { letter } = response;
    this.root.id = `card-${letter}`;
    const title = this.find(".letter");
    title.textContent = letter;
    title.setAttribute("aria-label", `Response ${letter}`);
    title.id = `letter-${letter}`;
    this.root.setAttribute("aria-labelledby", title.id);
    this.text = this.find("textarea");
    this.text.value = response.text;
    this.text.setAttribute("aria-label", `Response ${letter}`);
    this.text.addEventListener("input", () => {
      response.text = this.text.value;
      fit(this.text);
      changed();
    });
    for (const [name, words, act] of [
      [".earlier", "Move to the front", () => moved(response, -1)],
      [".later", "Move to the back", () => moved(response, 1)],
      [".remove", "Remove", () => removed(response)],
    ]) {
      const button = this.find(name);
      button.setAttribute("aria-label", `${words}: response ${letter}`);
      button.title = words;
      button.addEventListener("click", act);
    }
    this.heat = new HeatMap(this.find(".heat"), letter);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  /** Shows what the server said of this text; null where it has said nothing. */
  show(answer) {
    const scored = answer !== null && answer.error === undefined;
    this.root.classList.toggle("best", scored && answer.rank === 1 && answer.of > 1);
    this.find(".rank").textContent = scored && answer.of > 1 ? `#${answer.rank}` : "";
    this.find(".reward").textContent = scored ? signed(answer.reward) : "";
    this.find(".chance").textContent = scored && answer.of > 1 ? `best with ${percent(answer.probability_of_best)}` : "";
    this.find(".tokens").textContent = scored ? counted(answer.tokens, "token") + ", prompt included" : "";
    const cut = this.find(".cut");
    cut.hidden = !(scored && answer.truncated_tokens > 0);
    if (!cut.hidden) {
      cut.textContent = `${counted(answer.truncated_tokens, "token")} cut off: the text is longer than the model's context`;
    }
    const problem = this.find(".problem");
    problem.hidden = answer?.error === undefined;
    problem.textContent = answer?.error?.message ?? "";
    this.root.classList.remove("stale");
  }

  stale() {
    this.root.classList.add("stale");
    this.heat.stale();
  }

  /** Where it stands among so many cards. */
  place(at, of) {
    this.find(".earlier").disabled = at === 0;
    this.find(".later").disabled = at === of - 1;
    fit(this.text);
  }
}

/** As high as its text, up to what the style allows, where the browser does not see to it. */
export function fit(area) {
  if (!CSS.supports("field-sizing", "content")) {
    area.style.setProperty("height", "auto");
    area.style.setProperty("height", `${area.scrollHeight + 2}px`);
  }
}

