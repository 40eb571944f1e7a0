// Begins: takes the proof of the login, shows the view that the URL means, and follows the figures.

import * as figures from "./figures.js";
import { ask, follow, logOut, serverPath, takeProof } from "./api.js";
import { h, by, say, set, announce, confirm, toast } from "./dom.js";
import { listView } from "./list.js";
import { detailView } from "./detail.js";
import { takeDrops } from "./deploy.js";

let view = null;
const states = new Map();

/** Has something done to a server, and says what became of it. */
async function act(name, verb, path) {
  try {
    const done = await ask("POST", serverPath(name, path));
    const errors = done.errors?.map((error) => `${error.errCode}: ${error.message}`)
      ?? (Array.isArray(done) ? done.filter((it) => it.error).map((it) => it.error) : []);
    if (errors.length) return toast(`${name} was not ${verb}: ${errors.join("; ")}`, true);
    const outcome = Array.isArray(done) && done[0]?.outcome === "unchanged" ? "is unchanged" : `was ${verb}`;
    toast(`${name} ${outcome}.`);
  } catch (refusal) {
    toast(`${name} was not ${verb}: ${refusal.message}`, true);
  }
}

/** Start, stop and reload of a server. */
export function buttons(name) {
  const busy = (button, work) => async () => {
    button.setAttribute("aria-disabled", "true");
    await work();
    button.removeAttribute("aria-disabled");
  };
  const make = (text, work) => {
    const button = h("button", { type: "button", "data-action": text.toLowerCase(), "aria-label": `${text} ${name}` }, text);
    const run = busy(button, work);
    button.addEventListener("click", () => button.getAttribute("aria-disabled") || run());
    return button;
  };
  const start = make("Start", () => act(name, "started", "/start"));
  const stop = make("Stop", async () => {
    const isSure = await confirm(`Stop ${name}?`, "It takes no new requests; those in progress are finished. It stays stopped until it is started.", "Stop");
    if (isSure) await act(name, "stopped", "/stop");
  });
  const reload = make("Reload", () => act(name, "reloaded", "/reload"));
  return {
    element: h("div", { class: "buttons" }, start, stop, reload),
    update(server) {
      const isRunning = server.state === "running";
      // Whoever has just pressed one goes on with the other.
      const had = document.activeElement === start || document.activeElement === stop;
      set(start, "hidden", isRunning ? "" : null);
      set(stop, "hidden", isRunning ? null : "");
      if (had && document.activeElement !== start && document.activeElement !== stop) (isRunning ? stop : start).focus();
    },
  };
}

function route() {
  const [, name, tab] = /^#\/server\/([^/]+)(?:\/(\w+))?$/.exec(location.hash) ?? [];
  let next;
  try {
    next = name ? { name: decodeURIComponent(name), tab: tab ?? "overview" } : null;
  } catch {
    next = null;
  }
  if (next && view?.name === next.name) return view.open(next.tab);
  view?.close?.();
  const isFirst = !view;
  view = next ? detailView(next.name, next.tab) : listView();
  by("view").replaceChildren(view.root);
  document.title = `${view.title} – Tessera WebAdmin`;
  if (!isFirst) by("main").focus();
  view.update();
}

function onFigures(look) {
  figures.add(look);
  const host = look.servers.find((server) => server.kind === "host");
  say(by("site"), host?.name ?? "");
  say(by("version"), `Tessera ${look.process.version}`);
  for (const server of look.servers) {
    const before = states.get(server.name);
    if (before && before !== server.state) announce(`${server.name} is ${server.state}`);
    states.set(server.name, server.state);
  }
  onState(look.draining ? "draining" : "live");
  view.update();
}

const LIVE = { live: "Live", lost: "The host cannot be reached; trying again…", draining: "The process is about to end", paused: "Paused while nobody looks" };

function onState(state) {
  set(by("live"), "data-state", state);
  say(by("live-text"), LIVE[state]);
}

takeProof();
by("logout").addEventListener("click", logOut);
addEventListener("hashchange", () => location.hash !== "#main" && route());
takeDrops(() => {
  if (view.name) {
    location.hash = "#/";
    route();
  }
  by("drop").scrollIntoView({ block: "nearest" });
});
route();
follow(onFigures, onState);
