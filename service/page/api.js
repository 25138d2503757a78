// Asks the service's public API.

const STORED = "bakeoff-key";

export const keep = (key) => sessionStorage.setItem(STORED, key);
const headers = () => {
  const key = sessionStorage.getItem(STORED);
  return key ? { authorization: `Bearer ${key}` } : {};
};

// A request that failed, as application/problem+json says it.
export class Failure extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

// What is answered, and how long that took until all of it was here, in ms. Throws Failure.
export async function ask(path, { body = null, signal = null } = {}) {
  const began = performance.now();
  const sent = { headers: headers(), signal };
  if (body !== null) {
    sent.method = "POST";
    sent.body = JSON.stringify(body);
    sent.headers["content-type"] = "application/json";
  }
  const reply = await fetched(path, sent);
  const text = await reply.text();
  const tookMs = performance.now() - began;
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Failure({ status: reply.status, title: "That was no answer of this service", detail: text.slice(0, 200) });
  }
  if (!reply.ok) throw new Failure(content);
  return { content, tookMs };
}

async function fetched(path, sent) {
  try {
    return await fetch(path, sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const detail = "No answer came; is it still running, and is this computer still connected to it?";
    throw new Failure({ status: 0, title: "The service does not answer", detail });
  }
}

export const listingPath = (id) => `/v1/listings/${encodeURIComponent(id)}`;

// Shows a listing's picture that the service draws. With a key it has to be asked for: an address alone sends none.
export async function draw(image, id) {
  const path = `${listingPath(id)}/picture`;
  const sent = headers();
  if (!sent.authorization) {
    image.src = path;
    return;
  }
  const reply = await fetch(path, { headers: sent });
  if (!reply.ok) return image.dispatchEvent(new Event("error"));
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  image.src = URL.createObjectURL(await reply.blob());
}

// A question by what it is about: a text, a listing, or a user. mode: how the index is asked.
export function questionOf({ text, rank, like, user, k, where }, mode, explain = false) {
  const common = { k, mode, explain };
  const filter = Object.keys(where).length ? where : null;
  if (like) {
    const query = new URLSearchParams(common);
    if (filter) query.set("where", JSON.stringify(filter));
    return { path: `${listingPath(like)}/similar?${query}`, body: null };
  }
  const body = filter ? { ...common, where: filter } : common;
  if (text) return { path: "/v1/search", body: { text, rank, ...body } };
  return { path: "/v1/recommendations", body: { ...(user ? { user } : { history: [] }), ...body } };
}
