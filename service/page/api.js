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

// Shows a listing's picture that the service draws. It is asked for, since an image's address alone would send no key.
export async function draw(image, id) {
  try {
    const reply = await fetch(`${listingPath(id)}/picture`, { headers: headers() });
    if (!reply.ok) throw new Error(reply.statusText);
    image.src = URL.createObjectURL(await reply.blob());
    await image.decode();
    URL.revokeObjectURL(image.src);
  } catch {
    image.dispatchEvent(new Event("error"));
  }
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
