// Why a listing is in an answer: the same question asked again, with its explanation.

import { stagesOf } from "./answers.js";
import { element, figure, one } from "./dom.js";
import { distances, pictureOf, rows, titleOf } from "./listings.js";

const RULES = {
  sold: "no longer on sale",
  changed: "no longer match the filter",
  seller: "of a seller who has as many hits as one may",
  brand: "of a brand that has as many hits as one may",
};

const table = (caption, headings, lines) =>
  lines.length
    ? element("table", {}, element("caption", {}, caption), headings.length ? element("thead", {}, element("tr", {}, headings.map((text) => element("th", { scope: "col" }, text)))) : null, element("tbody", {}, lines))
    : null;
const line = (name, ...cells) => element("tr", {}, element("th", { scope: "row" }, name), cells.map((cell) => element("td", {}, cell)));

// answer: of the question asked with explain; id: the listing's.
export function show(answer, id, question) {
  const place = answer.hits.findIndex((hit) => hit.id === id);
  const hit = answer.hits[place];
  if (!hit) {
    open("It is no longer in the answer", element("p", {}, "Asked again, the service does not find this listing: it was sold or changed, or others are nearer now."));
    return;
  }
  const { retrieved, reranked, rank } = hit.explained;
  const moved = rank === place + 1 ? "the place that re-ranking gave it" : `re-ranking gave it place ${rank}, and the rules moved it`;
  open(
    titleOf(hit),
    element("div", { class: "pair" }, pictureOf(hit), element("p", {}, `Place ${place + 1} of ${answer.hits.length} with a score of ${figure(hit.score)}: ${moved}.`)),
    hit.beyond?.length ? element("p", { class: "notice" }, `It does not meet your conditions on ${hit.beyond.join(", ")}.`) : null,
    table("How it was retrieved", ["ranking", "place", distances() ? "score (dense: squared distance)" : "score"], Object.entries(retrieved).map(([name, found]) => line(name, figure(found.rank), figure(found.score)))),
    table("What re-ranking made of it", ["part", "adds"], Object.entries(reranked).map(([name, value]) => line(name, figure(value)))),
    element("h3", {}, "The whole answer"),
    table("Stages", ["stage", "ms", ""], stages(answer)),
    table("Left out by rules", ["rule", "listings"], Object.entries(answer.removed ?? {}).map(([rule, found]) => line(RULES[rule] ? `${rule} (${RULES[rule]})` : rule, figure(found.count)))),
    table("The filter was relaxed", ["field", "how", "the filter then"], (answer.relaxed ?? []).map((step) => line(step.field, step.how, element("code", {}, JSON.stringify(step.where))))),
    table("The listing", [], rows(hit)),
    element("details", {}, element("summary", {}, "The request"), element("pre", {}, `${question.body ? "POST" : "GET"} ${question.path}${question.body ? `\n${JSON.stringify(question.body, null, 2)}` : ""}`)),
  );
}

function stages(answer) {
  const all = stagesOf(answer);
  const most = Math.max(...all.map(({ ms }) => ms), 0.001);
  const bar = (name, ms) => line(name, ms.toFixed(2), element("meter", { min: 0, max: most, value: ms, "aria-hidden": "true" }));
  return all.flatMap(({ name, ms, parts }) => [bar(name, ms), ...parts.map((part) => bar(`${part.name}, in ${name}`, part.ms))]);
}

export function open(title, ...content) {
  const dialog = one("explained");
  const close = element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "×");
  dialog.replaceChildren(close, element("h2", { id: "explained-title" }, title), ...content.filter((part) => part !== null));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}
