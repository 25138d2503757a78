// An answer of the service as a column, and two of them compared.

import { element, figure, percent, plural } from "./dom.js";
import { card } from "./listings.js";

const FALLBACKS = {
  late: "the index did not answer in time",
  failed: "the index failed",
  open: "the index has failed too often and is left alone for a while",
  busy: "all threads are taken",
};
const SHORT = {
  matches: "no more listings match and pass the rules",
  candidates: "the rules left too few of the candidates that are looked at",
  deadline: "there was no time to look further",
};

// What has to be said of an answer before its hits are believed.
export function notices(answer) {
  const told = [];
  const instead = answer.words ? "listings that hold the words" : "popular or new listings";
  if (answer.fallback === "unknown") told.push(`These are ${instead}, for nothing is known of whom they are for.`);
  else if (answer.fallback) told.push(`Not what was asked for: ${instead}, because ${FALLBACKS[answer.fallback] ?? answer.fallback}.`);
  if (answer.relaxed?.length) {
    const steps = answer.relaxed.map((step) => `${step.field} was ${step.how}`);
    told.push(`Too few listings match, so the filter was relaxed: ${steps.join(", then ")}.`);
  }
  if (answer.short) told.push(`${plural(answer.hits.length, "listing")}: ${SHORT[answer.short] ?? answer.short}.`);
  for (const [kind, count] of Object.entries(answer.unused ?? {})) told.push(`Not used: ${kind} (${figure(count)}).`);
  return told;
}

// How long each stage took, and what part of that others took: those are within it, and not to be counted twice.
const WITHIN = { engine: "retrieve", words: "retrieve" };
export const stagesOf = (answer) => {
  const all = Object.entries(answer.stages_ms).map(([name, ms]) => ({ name, ms }));
  const parts = (stage) => all.filter(({ name }) => WITHIN[name] === stage);
  return all.filter(({ name }) => !WITHIN[name]).map((stage) => ({ ...stage, parts: parts(stage.name) }));
};
const briefly = ({ name, ms, parts = [] }) => `${name} ${ms.toFixed(1)}${parts.length ? ` (${parts.map(briefly).join(", ")})` : ""}`;

// How an answer was made, and how long each part of that took.
const heading = (title, answer, tookMs) => {
  const stages = stagesOf(answer);
  const inside = stages.reduce((sum, { ms }) => sum + ms, 0);
  const noticed = stages.filter(({ ms }) => ms >= 0.05);
  const how = answer.words ? `words ranked by the ${answer.words}'s index` : answer.fallback ? "the index was not asked" : `asked ${answer.mode === "exact" ? "exactly" : "approximately"}`;
  return [
    element("h2", {}, title),
    element("p", { class: "latency" }, element("strong", {}, `${inside.toFixed(1)} ms`), " in the service's stages, ", element("strong", {}, `${tookMs.toFixed(1)} ms`), " round trip"),
    element("p", { class: "quiet" }, [...noticed.map(briefly), how].join(" · ")),
  ];
};

// others: the ids of the answer beside it, null where there is none. missing: what marks a hit that is not among them.
export function column(title, { content, tookMs }, others, missing, actions) {
  const hits = content.hits.map((hit) => {
    const badges = (hit.beyond ?? []).length ? [`beyond your filter: ${hit.beyond.join(", ")}`] : [];
    if (others && !others.has(hit.id)) badges.push(missing);
    return card(hit, badges, actions);
  });
  const nothing = "Nothing is found. Take a condition out of the filter, or ask for something else.";
  return element(
    "section",
    { class: "answer", "aria-label": title },
    heading(title, content, tookMs),
    notices(content).map((text) => element("p", { class: "notice" }, text)),
    hits.length ? element("ol", { class: "hits" }, hits) : element("p", { class: "empty" }, nothing),
  );
}

// In words, how much of the exact answer the approximate one holds.
export function compared(approximate, exact) {
  if (approximate.fallback || exact.fallback) return "The answers are not compared: one of them is a fallback.";
  const found = approximate.hits.map((hit) => hit.id);
  const wanted = exact.hits.map((hit) => hit.id);
  if (!wanted.length) return "Neither way finds anything.";
  const kept = new Set(found);
  const shared = wanted.filter((id) => kept.has(id)).length;
  const share = `overlap@${wanted.length} is ${percent(shared / wanted.length)}`;
  if (shared === wanted.length) {
    const same = found.every((id, place) => id === wanted[place]);
    return `The approximate answer holds all ${wanted.length} listings of the exact one${same ? ", in the same order" : ", in another order"}: ${share}.`;
  }
  return `The approximate answer holds ${shared} of the ${wanted.length} listings of the exact one: ${share}.`;
}
