// One web server: its figures, settings, sessions, versions, failures and log.

import * as figures from "./figures.js";
import { ask, serverPath } from "./api.js";
import { panel } from "./charts.js";
import { h, say, set, number, count, percent, bytes, time, age, when, confirm, toast } from "./dom.js";
import { stateBadge } from "./list.js";
import { buttons } from "./main.js";
import { settingsTab } from "./settings.js";

const TABS = { overview: "Overview", settings: "Settings", sessions: "Sessions", versions: "Versions", errors: "Errors", log: "Log" };
const MAKE = { overview: overviewTab, settings: settingsTab, sessions: sessionsTab, versions: versionsTab, errors: errorsTab, log: logTab };

export function detailView(name, tab) {
  const state = stateBadge();
  const actions = buttons(name);
  const error = h("p", { class: "message bad", role: "alert", hidden: true });
  const links = Object.entries(TABS).map(([key, text]) =>
    h("a", { href: `#/server/${encodeURIComponent(name)}/${key}`, "data-tab": key }, text));
  const place = h("div", { class: "tab" });
  const root = h("div", { class: "detail" },
    h("nav", { "aria-label": "Way back" }, h("a", { href: "#/" }, "← All web servers")),
    h("div", { class: "heading" }, h("h1", {}, name), state.badge, actions.element),
    error,
    h("nav", { class: "tabs", "aria-label": `Parts of ${name}` }, links),
    place);
  let current = null;
  const view = { name, root, title: name, update, open, close: () => current?.close?.() };

  function open(next) {
    current?.close?.();
    const key = MAKE[next] ? next : "overview";
    links.forEach((link) => set(link, "aria-current", link.dataset.tab === key ? "page" : null));
    current = MAKE[key](name);
    place.replaceChildren(current.root);
    document.title = `${name}: ${TABS[key]} – Tessera WebAdmin`;
    update();
  }

  function update() {
    const server = figures.server(name);
    if (!server) {
      if (figures.now()) (say(error, `There is no web server ${name} (any more).`), set(error, "hidden", null));
      return;
    }
    state.update(server);
    actions.update(server);
    const pending = server.pending?.length ? `Waiting for the next start: ${server.pending.join(", ")}.` : "";
    say(error, server.error ?? pending);
    set(error, "hidden", error.textContent ? null : "");
    current?.update?.(server);
  }
  open(tab);
  return view;
}

/** Fills a place with what was asked for, or with why it cannot be. */
async function load(place, path, show) {
  try {
    place.replaceChildren(show(await ask("GET", path)));
  } catch (refusal) {
    place.replaceChildren(h("p", { class: "message bad" }, refusal.message));
  }
}

function table(caption, heads, rows, empty) {
  if (!rows.length) return h("p", { class: "hint" }, empty);
  return h("div", { class: "card flush scroll", tabindex: "0", role: "group", "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) =>
        index ? h("td", {}, cell) : h("th", { scope: "row" }, cell)))))));
}

function facts(rows) {
  const shown = rows.filter(([, text]) => text !== null && text !== undefined && text !== "");
  return h("dl", { class: "facts" }, shown.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text))));
}

function overviewTab(name) {
  const panels = ["Requests per second", "Latency", "Web processes", "Bytes per second", "Cache hits", "Failed requests per second"].map(panel);
  const place = h("div", {}, h("p", { class: "hint" }, "Loading…"));
  const uptime = h("span", {});
  const show = (server) => h("div", { class: "card" }, facts([
    ["Running for", uptime],
    ["URLs", server.urls?.length ? h("ul", { class: "names" }, server.urls.map((url) => h("li", {}, h("a", { href: url, rel: "noreferrer" }, url)))) : null],
    ["Mount", server.mount ? `${server.mount.host ?? ""}${server.mount.path}` : null],
    ["Hooks", Object.entries(server.hooks ?? {}).filter(([, has]) => has).map(([hook]) => hook).join(", ")],
    ["Methods", (server.methods ?? []).map((method) => method.name + (method.available ? "" : " (not by URL)")).join(", ")],
    ["Certificate", server.certificate ? `${server.certificate.names.join(", ")}, until ${when(server.certificate.notAfter)}` : null],
    ["Instances", server.instances ? `${server.instances.idle} idle, ${server.instances.created} made, ${server.instances.trapped} trapped` : null],
    ["Access log", server.accessLog ? `${server.accessLog.file}${server.accessLog.lost ? `, ${server.accessLog.lost} lines lost` : ""}${server.accessLog.error ? `: ${server.accessLog.error}` : ""}` : null],
  ]));
  let shownFor = null;
  const root = h("div", {}, h("section", { class: "panels", "aria-label": "Figures" }, panels.map((it) => it.figure)),
    h("section", { "aria-labelledby": "facts-title" }, h("h2", { id: "facts-title" }, "What it is"), place));
  function update(server) {
    const of = (key) => figures.of(name, key);
    const [requests, latency, processes, sent, cache, failed] = panels;
    requests.update(number(figures.rate(of("requests"))), `${count(server.requests)} in all`, number, figures.rates(of("requests")));
    const [p50, p95] = [0.5, 0.95].map((part) => figures.latency(of("times"), part));
    latency.update(time(p95), `p95; p50 ${time(p50)}`, time, figures.latencies(of("times"), 0.95), figures.latencies(of("times"), 0.5));
    const { current, highest, max, waiting, refused } = server.processes;
    processes.update(count(current), `highest ${count(highest)} of ${count(max)}; ${count(waiting ?? 0)} waiting, ${count(refused)} refused`, count,
      figures.values((look) => look.servers.get(name)?.processes.current));
    sent.update(bytes(figures.rate(of("bytes"))), `${bytes(server.bytes)} in all`, bytes, figures.rates(of("bytes")));
    const rate = (look) => figures.hitRate(of("cacheHits")(look) ?? 0, of("cacheMisses")(look) ?? 0);
    cache.update(percent(figures.hitRate(server.cacheHits, server.cacheMisses)), `${count(server.cacheMisses)} files read`, percent, figures.values(rate));
    failed.update(number(figures.rate(of("failed"))), `${count(server.failed)} in all`, number, figures.rates(of("failed")));
    say(uptime, server.state === "running" ? age(server.uptime) : "not running");
    const key = `${server.state} ${server.generation} ${server.pending}`;
    if (shownFor !== key) {
      shownFor = key;
      load(place, serverPath(name), show);
    }
  }
  return { root, update };
}

function sessionsTab(name) {
  const [place, more] = [h("div", {}, h("p", { class: "hint" }, "Loading…")), h("div", {})];
  let all = [];
  async function drop(id) {
    if (!(await confirm("End the session?", "Its client is a guest from the next request on.", "End"))) return;
    try {
      await ask("DELETE", serverPath(name, `/sessions/${encodeURIComponent(id)}`));
      toast("The session was ended.");
    } catch (refusal) {
      toast(refusal.message, true);
    }
    list();
  }
  const row = (it) => [h("code", { title: it.id }, it.id.slice(0, 12)), it.userName || "guest", (it.privileges ?? []).join(", "), when(it.created), when(it.expirationDate),
    it.size === undefined ? "" : bytes(it.size), h("button", { type: "button", "aria-label": `End session ${it.id}`, onclick: () => drop(it.id) }, "End")];
  const show = (answer, isFirst) => {
    all = isFirst ? answer.sessions : all.concat(answer.sessions);
    more.replaceChildren(...(answer.more ? [h("button", { type: "button", onclick: () => list(answer.next) }, "Show more")] : []));
    return table(`Sessions of ${name}`, ["Session", "User", "Privileges", "Begun", "Ends", "Size", "Action"], all.map(row), "There are no sessions.");
  };
  const list = (after) => load(place, serverPath(name, `/sessions?limit=100${after ? `&after=${encodeURIComponent(after)}` : ""}`), (answer) => show(answer, !after));
  list();
  return { root: h("section", { "aria-labelledby": "tab-title" }, heading("Sessions", () => list()), place, more) };
}

function heading(text, again) {
  return h("div", { class: "heading" }, h("h2", { id: "tab-title" }, text),
    again ? h("button", { type: "button", onclick: again }, "Refresh") : null);
}

function versionsTab(name) {
  const place = h("div", {}, h("p", { class: "hint" }, "Loading…"));
  const row = (it) => [it.number ? `#${it.number}` : "–", h("span", { class: "badge", "data-state": it.state }, it.state), when(it.loadedAt),
    h("code", { title: it.digest }, it.digest.slice(0, 12)), bytes(it.size), count(it.requests), count(it.traps),
    h("span", { class: "error" }, it.error ?? ""),
    h("details", {}, h("summary", {}, "Imports and exports"),
      h("ul", { class: "names" }, [...(it.exports ?? []).map((x) => `exports ${x}`), ...(it.imports ?? []).map((x) => `imports ${x}`)].map((x) => h("li", {}, h("code", {}, x)))))];
  const list = () => load(place, serverPath(name, "/generations"), (all) =>
    table(`Versions of ${name}`, ["Version", "State", "Loaded", "SHA-256", "Size", "Requests", "Traps", "Error", "Interfaces"], all.map(row), "This web server has no component."));
  list();
  let shown;
  const update = (server) => {
    if (shown !== undefined && shown !== server.generation) list();
    shown = server.generation;
  };
  return { root: h("section", { "aria-labelledby": "tab-title" }, heading("Versions", list), place), update };
}

function errorsTab(name) {
  const place = h("div", {}, h("p", { class: "hint" }, "Loading…"));
  const item = (it) => h("li", {}, h("details", {},
    h("summary", {}, h("span", { class: "badge", "data-state": "failed" }, it.kind), " ", h("span", {}, `${it.method} ${it.url}`), " ",
      h("span", { class: "note" }, `${it.status ?? "no status"}, ${when(it.at)}${it.generation ? `, version ${it.generation}` : ""}`)),
    h("pre", { tabindex: "0", "aria-label": "Message and backtrace" }, it.message),
    it.memory ? h("p", { class: "note" }, `${bytes(it.memory)} of memory; ${time(it.time)} after it began`) : null));
  const list = () => load(place, serverPath(name, "/errors"), (all) =>
    all.length ? h("ul", { class: "card failures" }, all.map(item)) : h("p", { class: "hint" }, "No request has failed."));
  list();
  let shown;
  const update = (server) => {
    if (shown !== undefined && shown !== server.failed && !place.querySelector("details[open]")) list();
    shown = server.failed;
  };
  return { root: h("section", { "aria-labelledby": "tab-title" }, heading("Requests that failed", list), place), update };
}

const LINES_SHOWN = 2000;

function logTab(name) {
  const [choice, pause] = [h("select", { id: "log-file" }), h("input", { id: "log-pause", type: "checkbox" })];
  const lines = h("pre", { class: "log", tabindex: "0", role: "group", "aria-label": `Log of ${name}` });
  const status = h("p", { class: "hint" });
  let [next, isOpen, timer] = [null, true, null];
  async function look() {
    clearTimeout(timer);
    if (!isOpen) return;
    if (!pause.checked && !document.hidden) {
      const query = new URLSearchParams({ limit: "500", ...(choice.value && { file: choice.value }), ...(next && { after: next }) });
      try {
        show(await ask("GET", serverPath(name, `/log?${query}`)));
      } catch (refusal) {
        say(status, refusal.message);
      }
    }
    timer = setTimeout(look, 1000);
  }
  function show(answer) {
    next = answer.next;
    if (!answer.file) return say(status, "It has no log file. Its settings logRecording and debugLog make some.");
    say(status, "");
    const names = [...choice.options].map((option) => option.value);
    if (names.join() !== answer.files.join()) {
      choice.replaceChildren(...answer.files.map((file) => h("option", { value: file }, file)));
      choice.value = answer.file;
    }
    if (answer.isNew) lines.replaceChildren();
    if (!answer.lines.length) return;
    const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 8;
    lines.append(...answer.lines.map((line) => h("span", { class: "row" }, line + "\n")));
    while (lines.children.length > LINES_SHOWN) lines.firstChild.remove();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  }
  choice.addEventListener("change", () => ((next = null), look()));
  look();
  const root = h("section", { "aria-labelledby": "tab-title" }, heading("Log"),
    h("div", { class: "fields" },
      h("div", {}, h("label", { for: "log-file" }, "File"), choice),
      h("div", { class: "check" }, pause, h("label", { for: "log-pause" }, "Pause"))),
    status, lines);
  return { root, close: () => ((isOpen = false), clearTimeout(timer)) };
}
