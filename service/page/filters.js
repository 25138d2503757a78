// The form of filters: choices of words, bounds of numbers, yes or no; made from what the fields hold.

import { element, figure, one } from "./dom.js";

let facets = {};

// changed: called after each change by the person.
export function build(fields, changed) {
  facets = fields;
  one("fields").replaceChildren(...Object.entries(facets).map(([name, facet]) => fieldset(name, facet, changed)));
}

function fieldset(name, facet, changed) {
  const inside = facet.kind === "keyword" ? words(name, facet, changed) : facet.kind === "boolean" ? yesOrNo(name, facet, changed) : bounds(name, facet, changed);
  return element("fieldset", { "data-field": name }, element("legend", {}, name), inside);
}

function words(name, facet, changed) {
  const choices = element("div", { class: "choices" }, (facet.values ?? []).map(({ value, count }) => choice(name, value, figure(count), changed)));
  if (!facet.others) return choices;
  const more = element("input", { type: "text", "aria-label": `Another ${name}`, placeholder: `one of ${figure(facet.others)} more`, maxlength: "500" });
  const add = () => {
    if (!more.value.trim()) return;
    tick(name, more.value.trim(), changed);
    more.value = "";
    changed();
  };
  // Enter would ask before the word is among the choices.
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  });
  return [choices, element("span", { class: "more" }, more, element("button", { type: "button", onclick: add }, "Add"))];
}

function choice(name, value, count, changed, checked = false) {
  const box = element("input", { type: "checkbox", name, value, onchange: changed });
  box.checked = checked;
  return element("label", {}, box, ` ${value} `, element("span", { class: "quiet" }, count));
}

const boxes = (name) => [...fieldOf(name).querySelectorAll("input[type=checkbox]")];
const fieldOf = (name) => [...one("fields").children].find((field) => field.dataset.field === name);

function tick(name, value, changed) {
  const found = boxes(name).find((box) => box.value === value);
  if (found) found.checked = true;
  else fieldOf(name).querySelector(".choices").prepend(choice(name, value, "", changed, true));
}

function bounds(name, facet, changed) {
  const input = (bound, label, value) =>
    element("label", {}, label, element("input", { type: "number", step: facet.kind === "integer" ? "1" : "any", "data-bound": bound, placeholder: value === undefined ? "" : String(value), onchange: changed }));
  return element("div", { class: "bounds" }, input("gte", "from", facet.least), input("lte", "to", facet.greatest));
}

function yesOrNo(name, facet, changed) {
  const count = (value) => figure((facet.values ?? []).find((found) => found.value === value)?.count ?? 0);
  const options = [["", "either"], ["true", `yes (${count(true)})`], ["false", `no (${count(false)})`]];
  return element("select", { "aria-label": name, onchange: changed }, options.map(([value, label]) => element("option", { value }, label)));
}

// The filter as the API takes it, {} where nothing is chosen.
export function read() {
  const where = {};
  for (const [name, facet] of Object.entries(facets)) {
    const found = facet.kind === "keyword" ? chosen(name) : facet.kind === "boolean" ? answered(name) : bounded(name);
    if (found !== null) where[name] = found;
  }
  return where;
}

function chosen(name) {
  const values = boxes(name).filter((box) => box.checked).map((box) => box.value);
  return values.length ? values : null;
}

function answered(name) {
  const { value } = fieldOf(name).querySelector("select");
  return value ? value === "true" : null;
}

function bounded(name) {
  const filled = [...fieldOf(name).querySelectorAll("input")].filter((input) => input.value !== "");
  return filled.length ? Object.fromEntries(filled.map((input) => [input.dataset.bound, input.valueAsNumber])) : null;
}

// Sets the form to a filter that `read` gave.
export function write(where, changed) {
  for (const [name, facet] of Object.entries(facets)) {
    const value = where[name];
    if (facet.kind === "keyword") {
      for (const box of boxes(name)) box.checked = false;
      for (const word of [value ?? []].flat()) tick(name, word, changed);
    } else if (facet.kind === "boolean") {
      fieldOf(name).querySelector("select").value = value === undefined ? "" : String(value);
    } else {
      for (const input of fieldOf(name).querySelectorAll("input")) input.value = value?.[input.dataset.bound] ?? "";
    }
  }
  const count = Object.keys(where).length;
  one("active").textContent = count ? `(${count} set)` : "";
  one("clear").hidden = !count;
}
