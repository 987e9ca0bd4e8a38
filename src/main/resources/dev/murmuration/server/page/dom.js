// The few things that every part of the page does with elements.

export const $ = (id) => document.getElementById(id);

/** An element with properties and children; texts are texts, never markup. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** An SVG element with attributes. */
export function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Pairs of a term and what is said of it, into a list of definitions. */
export function define(list, pairs) {
  list.replaceChildren(
    ...pairs.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))));
}

export const movesLittle = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Tabs that arrow keys move between; "chosen" gets the id of the one that is selected. */
export function tabs(buttons, chosen) {
  const select = (button, focus) => {
    for (const each of buttons) {
      each.setAttribute("aria-selected", each === button);
      each.tabIndex = each === button ? 0 : -1;
    }
    if (focus) {
      button.focus();
    }
    chosen(button.id);
  };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => select(button, false));
    button.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        select(buttons[(to + buttons.length) % buttons.length], true);
      }
    });
  });
  return (id) => select(buttons.find((button) => button.id === id) ?? buttons[0], false);
}

let toastEnds;

/** Says something for a few seconds, with one thing that can be done about it. */
export function toast(words, action, act) {
  const box = $("toast");
  const hide = () => box.replaceChildren();
  clearTimeout(toastEnds);
  box.replaceChildren(element("span", {}, words));
  if (action) {
    const button = element("button", { type: "button" }, action);
    button.addEventListener("click", () => {
      hide();
      act();
    });
    box.append(button);
  }
  toastEnds = setTimeout(hide, 10_000);
}
