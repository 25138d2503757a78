// The form of filters: choices of words, bounds of numbers, yes or no, or no value at all; made from what the fields hold.

import { element, figure, one } from "./dom.js";

let facets = {};
let changed = null; // called after each change by the person

export function build(fields, whenChanged) {
  facets = fields;
  changed = whenChanged;
  one("fields").replaceChildren(...Object.entries(facets).map(([name, facet]) => fieldset(name, facet)));
}

const isWords = (facet) => facet.kind === "keyword" || facet.kind === "tags";

function fieldset(name, facet) {
  const inside = isWords(facet) ? words(name, facet) : facet.kind === "boolean" ? yesOrNo(name, facet) : bounds(name, facet);
  return element("fieldset", { "data-field": name }, element("legend", {}, name), inside, facet.missing ? without(facet.missing) : "");
}

// What has no value has none of the others either.
const without = (count) =>
  element("label", { class: "without" }, element("input", { type: "checkbox", "data-without": true, onchange: () => changed() }), " without ", element("span", { class: "quiet" }, figure(count)));

const withoutOf = (name) => fieldOf(name).querySelector("[data-without]");

function refined(name) {
  const box = withoutOf(name);
  if (box) box.checked = false;
  changed();
}

function words(name, facet) {
  const made = [element("div", { class: "choices" }, (facet.values ?? []).map(({ value, count }) => choice(name, value, figure(count))))];
  if (facet.kind === "tags") made.unshift(manner(name));
  if (facet.others) made.push(another(name, facet));
  return made;
}

// Of tags a listing may have several.
function manner(name) {
  const options = [["", "one of these"], ["all", "all of these"]].map(([value, label]) => element("option", { value }, label));
  return element("select", { "aria-label": `How ${name} match`, "data-manner": true, onchange: () => chosen(name) && refined(name) }, options);
}

function another(name, facet) {
  const more = element("input", { type: "text", "aria-label": `Another ${name}`, placeholder: `one of ${figure(facet.others)} more`, maxlength: "500" });
  const add = () => {
    if (!more.value.trim()) return;
    tick(name, more.value.trim());
    more.value = "";
    refined(name);
  };
  // Enter would ask before the word is among the choices.
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  });
  return element("span", { class: "more" }, more, element("button", { type: "button", onclick: add }, "Add"));
}

function choice(name, value, count, checked = false) {
  const box = element("input", { type: "checkbox", name, value, onchange: () => refined(name) });
  box.checked = checked;
  return element("label", {}, box, ` ${value} `, element("span", { class: "quiet" }, count));
}

const boxes = (name) => [...fieldOf(name).querySelectorAll(".choices input")];
const fieldOf = (name) => [...one("fields").children].find((field) => field.dataset.field === name);

function tick(name, value) {
  const found = boxes(name).find((box) => box.value === value);
  if (found) found.checked = true;
  else fieldOf(name).querySelector(".choices").prepend(choice(name, value, "", true));
}

function bounds(name, facet) {
  const input = (bound, label, value) =>
    element("label", {}, label, element("input", { type: "number", step: facet.kind === "integer" ? "1" : "any", "data-bound": bound, placeholder: value === undefined ? "" : String(value), onchange: () => refined(name) }));
  return element("div", { class: "bounds" }, input("gte", "from", facet.least), input("lte", "to", facet.greatest));
}

function yesOrNo(name, facet) {
  const count = (value) => figure((facet.values ?? []).find((found) => found.value === value)?.count ?? 0);
  const options = [["", "either"], ["true", `yes (${count(true)})`], ["false", `no (${count(false)})`]];
  return element("select", { "aria-label": name, onchange: () => refined(name) }, options.map(([value, label]) => element("option", { value }, label)));
}

// The filter as the API takes it, {} where nothing is chosen.
export function read() {
  const where = {};
  for (const [name, facet] of Object.entries(facets)) {
    const found = withoutOf(name)?.checked ? { exists: false } : isWords(facet) ? chosen(name) : facet.kind === "boolean" ? answered(name) : bounded(name);
    if (found !== null) where[name] = found;
  }
  return where;
}

function chosen(name) {
  const values = boxes(name).filter((box) => box.checked).map((box) => box.value);
  if (!values.length) return null;
  return fieldOf(name).querySelector("[data-manner]")?.value === "all" ? { all: values } : values;
}

function answered(name) {
  const { value } = fieldOf(name).querySelector("select");
  return value ? value === "true" : null;
}

function bounded(name) {
  const filled = [...fieldOf(name).querySelectorAll("[data-bound]")].filter((input) => input.value !== "");
  return filled.length ? Object.fromEntries(filled.map((input) => [input.dataset.bound, input.valueAsNumber])) : null;
}

// Sets the form to a filter that `read` gave.
export function write(where) {
  for (const [name, facet] of Object.entries(facets)) {
    const value = where[name];
    const box = withoutOf(name);
    if (box) box.checked = value?.exists === false;
    if (isWords(facet)) writeWords(name, value);
    else if (facet.kind === "boolean") fieldOf(name).querySelector("select").value = typeof value === "boolean" ? String(value) : "";
    else for (const input of fieldOf(name).querySelectorAll("[data-bound]")) input.value = value?.[input.dataset.bound] ?? "";
  }
  const count = Object.keys(where).length;
  one("active").textContent = count ? `(${count} set)` : "";
  one("clear").hidden = !count;
}

function writeWords(name, value) {
  for (const box of boxes(name)) box.checked = false;
  for (const word of [value?.all ?? value ?? []].flat()) if (typeof word === "string") tick(name, word);
  const how = fieldOf(name).querySelector("[data-manner]");
  if (how && value !== undefined) how.value = value?.all ? "all" : "";
}
