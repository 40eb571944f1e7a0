// The first view: what the process does, all web servers, and where modules are dropped.

import * as figures from "./figures.js";
import { chart, panel } from "./charts.js";
import { h, say, set, number, count, percent, bytes, time } from "./dom.js";
import { buttons } from "./main.js";
import { dropZone } from "./deploy.js";

const STATES = { running: "Running", stopped: "Stopped", failed: "Failed", loading: "Loading" };

export function stateBadge() {
  const badge = h("span", { class: "badge" });
  return {
    badge,
    update(server) {
      say(badge, STATES[server.state] ?? server.state);
      set(badge, "data-state", server.state);
    },
  };
}

export function listView() {
  const panels = ["Requests per second", "Latency", "Web processes", "Memory", "Connections", "Cache hits"].map(panel);
  const rows = new Map();
  const body = h("tbody", {});
  const heads = ["Server", "State", "Requests/s", "p50", "p95", "Processes", "Cache hits", "Sessions", "Version", "Actions"];
  const table = h("table", { class: "servers", role: "table" },
    h("caption", { class: "unseen" }, "Web servers of this site; figures change every second"),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map((text) => h("th", { scope: "col", role: "columnheader" }, text)))),
    body);
  body.setAttribute("role", "rowgroup");
  const root = h("div", {},
    h("h1", {}, "Overview"),
    h("section", { class: "panels", "aria-label": "The process" }, panels.map((it) => it.figure)),
    h("section", { "aria-labelledby": "servers-title" }, h("h2", { id: "servers-title" }, "Web servers"),
      h("div", { class: "card flush scroll", tabindex: "0", role: "group", "aria-label": "Table of web servers" }, table)),
    dropZone());

  function update() {
    const look = figures.now();
    if (!look) return;
    overview(panels, look);
    const names = [...look.servers.keys()];
    for (const [name, row] of rows) if (!look.servers.has(name)) (row.element.remove(), rows.delete(name));
    names.forEach((name, index) => {
      if (!rows.has(name)) rows.set(name, serverRow(name));
      const { element } = rows.get(name);
      if (body.children[index] !== element) body.insertBefore(element, body.children[index] ?? null);
      rows.get(name).update(look.servers.get(name));
    });
  }
  return { root, update, title: "Overview" };
}

function overview([requests, latency, processes, memory, connections, cache], look) {
  const all = figures.sum("requests");
  requests.update(number(figures.rate(all)), null, number, figures.rates(all));
  const [p50, p95] = [0.5, 0.95].map((part) => figures.latency(figures.sumTimes, part));
  latency.update(time(p95), `p95; p50 ${time(p50)}`, time,
    figures.latencies(figures.sumTimes, 0.95), figures.latencies(figures.sumTimes, 0.5));
  const current = (it) => [...it.servers.values()].reduce((sum, server) => sum + server.processes.current, 0);
  const { process } = look;
  processes.update(count(current(look)), `${count(process.instances)} instances`, count, figures.values(current));
  memory.update(bytes(process.memory), `${bytes(process.instanceMemory)} of instances`, bytes,
    figures.values((it) => it.process.memory));
  connections.update(count(process.connections), `of ${count(process.connectionsMax)}`, count,
    figures.values((it) => it.process.connections));
  const rate = (it) => figures.hitRate(figures.sum("cacheHits")(it), figures.sum("cacheMisses")(it));
  cache.update(percent(rate(look)), `${bytes(process.cacheBytes)} of ${bytes(process.cacheMax)}`, percent, figures.values(rate));
}

function serverRow(name) {
  const state = stateBadge();
  const spark = chart();
  const link = h("a", { href: `#/server/${encodeURIComponent(name)}`, class: "name" }, name);
  const [place, error] = [h("span", { class: "place" }), h("span", { class: "error" })];
  const rate = h("span", { class: "value" });
  const plain = ["p50", "p95", "Processes", "Cache hits", "Sessions", "Version"]
    .map((label) => h("td", { role: "cell", class: "figure", "data-label": label }));
  const actions = buttons(name);
  const element = h("tr", { role: "row", "data-server": name },
    h("th", { scope: "row", role: "rowheader" }, link, place, error),
    h("td", { role: "cell", "data-label": "State" }, state.badge),
    h("td", { role: "cell", class: "figure rate", "data-label": "Requests/s" }, rate, spark.picture),
    plain,
    h("td", { role: "cell", class: "actions", "data-label": "Actions" }, actions.element));
  function update(server) {
    state.update(server);
    say(place, where(server));
    say(error, server.error ?? "");
    const requests = figures.of(name, "requests");
    say(rate, number(figures.rate(requests)));
    spark.update(`${name}, requests per second`, number, figures.rates(requests));
    const times = figures.of(name, "times");
    const { current, highest, max } = server.processes;
    const texts = [
      time(figures.latency(times, 0.5)), time(figures.latency(times, 0.95)),
      `${count(current)} · ${count(highest)} · ${count(max)}`,
      percent(figures.hitRate(server.cacheHits, server.cacheMisses)),
      count(server.sessions), server.generation ? `#${server.generation}` : "–",
    ];
    plain.forEach((cell, index) => say(cell, texts[index]));
    set(plain[2], "title", "now · highest · limit");
    actions.update(server);
  }
  return { element, update };
}

function where(server) {
  const own = (server.urls ?? []).map((url) => url.replace(/^http:\/\//, "").replace(/\/$/, ""));
  if (own.length) return own.slice(0, 2).join(", ") + (own.length > 2 ? ` and ${own.length - 2} more` : "");
  return server.mount?.path ?? "";
}
