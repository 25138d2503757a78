// The page: what is asked for, asked, and shown. The address holds the question, so that Back and sharing work.

import { column, compared } from "./answers.js";
import { ask, Failure, keep, listingPath, questionOf } from "./api.js";
import { element, one, plural } from "./dom.js";
import { open, show } from "./explained.js";
import * as filters from "./filters.js";
import { of, pictured, thumbnail, titleOf } from "./listings.js";

const VALUES = 30; // offered of each field
const USERS = 100;
const SHOWN = 8; // of what a user took
const SIDES = [
  { mode: "approximate", title: "Approximate", missing: "not in the exact answer" },
  { mode: "exact", title: "Exact", missing: "missed by the approximate answer" },
];

let users = [];
let ranks = [];
let asking = new AbortController();

const fresh = () => ({ text: "", rank: "text", like: "", user: "", k: 12, where: {} });
let state = fresh();

function ofAddress() {
  const given = new URLSearchParams(location.search);
  const found = fresh();
  for (const name of ["text", "rank", "like", "user"]) found[name] = given.get(name) ?? found[name];
  found.k = Number(given.get("k")) || found.k;
  try {
    const where = JSON.parse(given.get("where") ?? "{}");
    if (where?.constructor === Object) found.where = where;
  } catch {
    // An address that somebody has cut short.
  }
  if (!given.size && users.length) found.user = users[0].id;
  return found;
}

function go(changes) {
  state = { ...state, ...changes };
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) given.set(name, name === "where" ? JSON.stringify(value) : value);
  history.pushState(null, "", `?${given}`);
  return answer();
}

// The form as the state says.
function fill() {
  one("text").value = state.text;
  one("user").value = state.text || state.like ? "" : state.user;
  one("rank").value = state.rank;
  one("k").value = String(state.k);
  one("like").hidden = !state.like;
  filters.write(state.where);
}

const refined = () => go({ where: filters.read() });
const similar = (listing) => go({ like: listing.id, text: "" }).then(() => one("answers").focus());

async function answer() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  one("problem").hidden = true;
  one("answers").setAttribute("aria-busy", "true");
  one("told").textContent = "Asking ...";
  try {
    fill();
    const got = await answers(signal);
    await Promise.all([took(signal), likeWhat(signal)]); // afterwards, so that no answer is slower for them
    draw(got);
  } catch (error) {
    if (error.name === "AbortError") return; // another question has taken its place
    one("answers").replaceChildren();
    one("told").textContent = "";
    failed(error);
  }
  one("answers").removeAttribute("aria-busy");
}

// One column where there is nothing to compare: words are ranked by an index of words, and nobody's are the newest.
const sides = () => {
  if (state.like || (state.text ? state.rank !== "text" : state.user)) return SIDES;
  return [{ mode: "auto", title: state.text ? "By words" : "For nobody in particular", missing: "" }];
};

async function answers(signal) {
  const got = [];
  // One after the other, so that neither waits for the other's work.
  for (const side of sides()) {
    const question = questionOf(state, side.mode);
    got.push({ ...side, ...(await ask(question.path, { body: question.body, signal })) });
  }
  return got;
}

function draw(got) {
  const ids = got.map(({ content }) => new Set(content.hits.map((hit) => hit.id)));
  const columns = got.map((side, place) =>
    column(side.title, side, got.length > 1 ? ids[1 - place] : null, side.missing, { similar, explain: (hit) => explain(hit, side.mode) }),
  );
  one("answers").replaceChildren(...columns);
  one("told").textContent =
    got.length > 1
      ? compared(got[0].content, got[1].content)
      : `${plural(got[0].content.hits.length, "listing")}. ${state.text ? "Words are never searched approximately: there is nothing to compare." : "Choose a user, or more like a listing, to compare answers."}`;
}

async function explain(hit, mode) {
  const question = questionOf(state, mode, true);
  try {
    const { content } = await ask(question.path, { body: question.body });
    show(content, hit.id, question);
  } catch (error) {
    open("It cannot be explained", element("p", {}, error.message));
  }
}

// What the chosen user took, the last of it.
async function took(signal) {
  const user = state.text || state.like ? null : users.find((known) => known.id === state.user);
  one("history").hidden = !user;
  if (!user) return;
  const last = user.history.slice(-SHOWN);
  const read = await Promise.allSettled(last.map((id) => ask(listingPath(id), { signal })));
  signal.throwIfAborted();
  const there = read.filter(({ status }) => status === "fulfilled").map(({ value }) => thumbnail(value.content, similar));
  one("history").replaceChildren(
    element("p", {}, `${user.id} took ${plural(user.taken, "listing")}${user.taken > last.length ? `, at last these ${last.length}` : ""}:`),
    element("ul", { class: pictured() ? "thumbnails pictured" : "thumbnails" }, there),
  );
}

async function likeWhat(signal) {
  if (!state.like) return;
  const { content } = await ask(listingPath(state.like), { signal });
  one("like").replaceChildren(
    "Like ",
    element("strong", {}, titleOf(content)),
    " ",
    element("button", { type: "button", onclick: () => go({ like: "" }) }, "Stop"),
  );
}

function failed(error) {
  const problem = error instanceof Failure ? error.problem : { title: "This page failed", detail: String(error) };
  one("access").hidden = problem.status !== 401;
  const lines = problem.errors?.length ? problem.errors.map(({ field, detail }) => `${field}: ${detail}`) : [problem.detail];
  one("problem").replaceChildren(
    element("strong", {}, `${problem.title}.`),
    element("ul", {}, lines.map((text) => element("li", {}, text))),
    problem.request_id ? element("p", { class: "quiet" }, `Request ${problem.request_id}, as the service's log calls it.`) : "",
  );
  one("problem").hidden = false;
}

async function start() {
  one("problem").hidden = true;
  try {
    const paths = ["/v1/service", `/v1/facets?values=${VALUES}`, `/v1/users?limit=${USERS}`];
    const [service, facets, known] = await Promise.all(paths.map((path) => ask(path)));
    one("access").hidden = true;
    of(service.content);
    ranks = service.content.ranks;
    users = known.content.users;
    served(service.content, facets.content.listings);
    filters.build(facets.content.fields, refined);
    const nobody = element("option", { value: "" }, "nobody in particular");
    one("user").replaceChildren(nobody, ...users.map(({ id }) => element("option", { value: id }, id)));
    one("filters").open = matchMedia("(min-width: 60rem)").matches;
  } catch (error) {
    failed(error);
    return;
  }
  state = ofAddress();
  await answer();
}

function served({ engine, model }, listings) {
  one("served").textContent = `${plural(listings, "listing")} on ${engine.name}${model ? `, vectors by ${model}` : ""}`;
  one("ranking").hidden = ranks.length < 2;
  one("text").disabled = !ranks.length;
  for (const option of [...one("rank").options]) if (!ranks.includes(option.value)) option.remove();
}

one("question").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = one("text").value.trim();
  go(text ? { text, like: "" } : { text });
});
one("user").addEventListener("change", (event) => go({ user: event.target.value, text: "", like: "" }));
one("rank").addEventListener("change", (event) => go({ rank: event.target.value }));
one("k").addEventListener("change", (event) => go({ k: Number(event.target.value) }));
one("clear").addEventListener("click", () => go({ where: {} }));
one("access").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(one("key").value.trim());
  one("key").value = "";
  start();
});
one("explained").addEventListener("click", (event) => {
  if (event.target === event.currentTarget) event.currentTarget.close(); // beside it
});
addEventListener("popstate", () => {
  state = ofAddress();
  answer();
});
start();
