// Listings as cards.

import { draw } from "./api.js";
import { element, figure } from "./dom.js";

let served = null; // what GET /v1/service says

export const of = (service) => {
  served = service;
};

// Whether the index tells how far listings are, and not how alike.
export const distances = () => served.metric === "l2";

export const pictured = () => Boolean(served.picture);

export function titleOf(listing) {
  const names = [...served.texts, ...served.details.filter((name) => name !== served.picture?.detail)];
  const name = names.find((one) => listing.details[one]);
  return name ? listing.details[name] : listing.id;
}

// A picture, or nothing where the catalogue has none. What cannot be shown gives way to its title.
export function pictureOf(listing) {
  if (!served.picture) return null;
  const image = element("img", { alt: "", loading: "lazy", decoding: "async", class: "picture" });
  image.addEventListener("error", () => image.replaceWith(element("span", { class: "picture none" }, "no picture")));
  if (served.picture.pixels) {
    draw(image, listing.id);
    return image;
  }
  const address = listing.attributes[served.picture.detail] ?? listing.details[served.picture.detail] ?? "";
  if (!/^https?:\/\//i.test(address)) return element("span", { class: "picture none" }, "no picture");
  image.referrerPolicy = "no-referrer";
  image.src = address;
  return image;
}

// What a card says besides the title: words that the title does not hold already, and fractions such as prices.
function facts(listing) {
  const title = titleOf(listing).toLowerCase();
  return Object.entries(served.fields).flatMap(([name, kind]) => {
    const value = listing.attributes[name];
    if (name === served.picture?.detail || value === null) return [];
    if (kind === "keyword" || kind === "tags") return [value].flat().filter((word) => !title.includes(word.toLowerCase()));
    if (kind === "float") return [`${name} ${figure(value)}`];
    return [];
  });
}

// badges: texts that mark it. actions: { similar, explain }, each called with the listing.
export function card(hit, badges, actions) {
  const title = titleOf(hit);
  return element(
    "li",
    { class: "card", "data-id": hit.id },
    pictureOf(hit),
    element("p", { class: "title" }, title),
    element("p", { class: "quiet" }, facts(hit).join(" · ")),
    badges.map((text) => element("p", { class: "badge" }, text)),
    element(
      "p",
      { class: "actions" },
      element("button", { type: "button", onclick: () => actions.similar(hit), "aria-label": `More like this: ${title}` }, "More like this"),
      element("button", { type: "button", onclick: () => actions.explain(hit), "aria-label": `Why? ${title}` }, "Why?"),
    ),
  );
}

// A small one, of what a user took.
export function thumbnail(listing, similar) {
  const title = titleOf(listing);
  const shown = pictureOf(listing) ?? element("span", {}, title);
  return element("li", {}, element("button", { type: "button", title, "aria-label": `More like ${title}`, onclick: () => similar(listing) }, shown));
}

// Every field and detail of a listing, as rows of a table.
export function rows(listing) {
  const all = { ...listing.attributes, ...listing.details };
  return Object.entries(all).map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, told(value))));
}

function told(value) {
  if (value === null || (Array.isArray(value) && !value.length)) return "none";
  return typeof value === "number" ? figure(value) : [value].flat().join(", ");
}
