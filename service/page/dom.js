// Elements of the page. Text from the service only ever becomes text: nothing here reads HTML.

export const one = (id) => document.getElementById(id);

// An element with attributes (true: without a value; null or false: none), listeners by "on...", and children.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== ""));
  return made;
}

// A number for people: no more digits than say something.
export function figure(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) >= 100 ? 5 : 4 });
}

export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.995 ? 1 : 0)} %`;

export const plural = (count, word) => `${figure(count)} ${word}${count === 1 ? "" : "s"}`;
