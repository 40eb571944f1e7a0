// What the page can do beyond links and forms; it works without.

// Links to other ports: under the host name by which the visitor came.
for (const link of document.querySelectorAll("a[data-port]")) {
  const url = new URL(link.href);
  url.hostname = location.hostname;
  link.href = url;
  link.textContent = url.host + url.pathname;
}

// Links and forms marked data-ask show the answer beside them instead of leaving the page.
const answer = document.getElementById("answer");

async function ask(url, options) {
  const method = options?.method ?? "GET";
  const [asked, result, body] = answer.querySelectorAll(".ask, .result, code");
  const { pathname, search } = new URL(url, location);
  const start = performance.now();
  let line, text;
  try {
    const response = await fetch(url, { cache: "no-store", ...options });
    text = await response.text();
    const type = response.headers.get("Content-Type") ?? "no content type";
    line = `${response.status} · ${type} · ${(performance.now() - start).toFixed(1)} ms`;
    if (type.startsWith("application/json")) text = JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    [line, text] = ["No answer", String(error)];
  }
  asked.textContent = `${method} ${pathname}${search}`;
  result.textContent = line;
  body.textContent = text;
  answer.hidden = false;
}

// On a narrow screen the answer is below, out of sight.
const show = () => answer.scrollIntoView({ block: "nearest" });

for (const link of document.querySelectorAll("a[data-ask]")) {
  link.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(link.href).then(show);
  });
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then(show);
  });
}

// The web servers, as the component `status` tells them.
const list = document.getElementById("servers");
const tiles = new Map();

function fill(item, { name, isRunning, HTTPPort, mount }) {
  const link = document.createElement("a");
  link.textContent = name;
  if (mount?.path && !mount.host) link.href = `${mount.path.replace(/\/$/, "")}/`;
  else if (HTTPPort) link.href = `http://${location.hostname}:${HTTPPort}/`;
  const where = document.createElement("span");
  const places = [mount && `${mount.host ?? ""}${mount.path}`, HTTPPort && `:${HTTPPort}`, !isRunning && "stopped"];
  where.textContent = places.filter(Boolean).join("  ");
  item.className = isRunning ? "on" : "off";
  item.replaceChildren(link, where);
}

// A tile that is still true stays untouched, lest it be laid again or lose the focus.
function tile({ name, isRunning, HTTPPort, mount }) {
  const server = { name, isRunning, HTTPPort, mount };
  const state = JSON.stringify(server);
  const known = tiles.get(name) ?? { item: document.createElement("li") };
  if (known.state !== state) fill(known.item, server);
  tiles.set(name, { item: known.item, state });
  return known.item;
}

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch("/status/json", { cache: "no-store" });
    if (!response.ok) return;
    const items = (await response.json()).map(tile);
    // What goes is taken first, so that no tile that stays is moved.
    for (const old of [...list.children]) if (!items.includes(old)) old.remove();
    items.forEach((item, i) => item === list.children[i] || list.insertBefore(item, list.children[i] ?? null));
    for (const [name, { item }] of tiles) if (!items.includes(item)) tiles.delete(name);
  } catch {
    // The server is away; what was last known stays.
  }
}

refresh();
setInterval(refresh, 2000);
document.addEventListener("visibilitychange", refresh);
if (window.matchMedia("(min-width: 56rem)").matches) ask("/hello/a/b?c=d");
