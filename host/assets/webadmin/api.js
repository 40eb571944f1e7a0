// Asks the admin API, and follows its events. The cookie alone opens nothing: each request shows the proof, too.

const KEY = "tessera.proof";

/** The login hands the proof over behind the # of the URL, which is never sent; it is taken away from there at once. */
export function takeProof() {
  const given = /^#proof=([\w-]+)$/.exec(location.hash);
  if (!given) return;
  localStorage.setItem(KEY, given[1]);
  history.replaceState(null, "", "/webadmin/");
}

export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || `the host answered ${status}`);
    this.status = status;
    this.errors = problem.errors ?? [];
    this.newImports = problem.newImports ?? [];
  }
}

function headers(more) {
  return { "X-Tessera-Proof": localStorage.getItem(KEY) ?? "", ...more };
}

function leave() {
  localStorage.removeItem(KEY);
  location.assign("/webadmin/login");
}

async function checked(response) {
  if (response.ok) return response;
  if (response.status === 401 || response.status === 403) {
    leave();
    throw new Refusal(response.status, { detail: "The session is over." });
  }
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(response.status, problem);
}

/** Sends a request: JSON, or a body of another type. The answer is its document. */
export async function ask(method, path, body, type = "application/json") {
  const isJson = type === "application/json";
  const sent = body === undefined ? undefined : isJson ? JSON.stringify(body) : body;
  let response;
  try {
    response = await fetch(path, { method, headers: headers(sent === undefined ? {} : { "Content-Type": type }), body: sent });
  } catch {
    throw new Refusal(0, { detail: "The host cannot be reached." });
  }
  return (await checked(response)).json();
}

export const serverPath = (name, rest = "") => `/api/v1/servers/${encodeURIComponent(name)}${rest}`;

export async function logOut() {
  await fetch("/webadmin/logout", { method: "POST", headers: headers(), redirect: "manual" }).catch(() => {});
  leave();
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds after which a page that nobody looks at stops following: a browser has six connections to a host, for all pages. */
const UNSEEN = 15_000;

const seen = () =>
  new Promise((resolve) => {
    const look = () => document.hidden || (document.removeEventListener("visibilitychange", look), resolve());
    document.addEventListener("visibilitychange", look);
    look();
  });

/** Ends what it gives a signal for when the page was out of sight for a while. */
function whileSeen() {
  const [ending, timer] = [new AbortController(), { id: 0 }];
  const look = () => {
    clearTimeout(timer.id);
    if (document.hidden) timer.id = setTimeout(() => ending.abort(), UNSEEN);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return { signal: ending.signal, done: () => (clearTimeout(timer.id), document.removeEventListener("visibilitychange", look)) };
}

/** Follows the figures for ever, also when the host was away. `onState` is told "live", "lost" or "paused". */
export async function follow(onFigures, onState) {
  let wait = 2000;
  for (;;) {
    await seen();
    const { signal, done } = whileSeen();
    try {
      const response = await checked(await fetch("/api/v1/events", { headers: headers(), signal }));
      onState("live");
      for await (const event of events(response.body)) {
        if (event.retry) wait = event.retry;
        if (event.name === "end") return leave();
        if (event.name === "figures") onFigures(JSON.parse(event.data));
      }
    } catch (error) {
      if (error instanceof Refusal && (error.status === 401 || error.status === 403)) return;
    } finally {
      done();
    }
    onState(signal.aborted ? "paused" : "lost");
    if (!signal.aborted) await pause(wait);
  }
}

/** Server-sent events of a body. EventSource cannot be used: it sends no header, and so no proof. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { name: "message", data: "", retry: 0 };
      for (const line of block.split("\n")) {
        const [, field, text] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        if (field === "event") event.name = text;
        else if (field === "data") event.data += text;
        else if (field === "retry") event.retry = Number(text);
      }
      yield event;
    }
  }
}
