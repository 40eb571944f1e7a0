// A module that is dropped onto the page, or chosen: sent, examined by the host, and served.

import { ask } from "./api.js";
import { h, say, bytes, announce, confirm, toast } from "./dom.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** What the host takes. */
const BYTES_MAX = 128 * 1024 * 1024;
let isBusy = false;

export function dropZone() {
  const status = h("p", { class: "status", role: "status", id: "deploy-status" });
  const result = h("div", { class: "result", id: "deploy-result" });
  const name = h("input", { id: "deploy-name", type: "text", maxlength: "64", placeholder: "as the file", autocomplete: "off", spellcheck: "false" });
  const file = h("input", {
    id: "deploy-file", type: "file", accept: ".wasm,application/wasm",
    onchange: () => {
      if (file.files[0]) deploy(file.files[0], name.value, status, result);
      file.value = "";
    },
  });
  return h("section", { class: "card drop", id: "drop", "aria-labelledby": "deploy-title" },
    h("h2", { id: "deploy-title" }, "Deploy a component"),
    h("p", { class: "hint" }, "Drop a .wasm file anywhere on this page, or choose one. The host examines it before it takes over; a version that is no good changes nothing."),
    h("div", { class: "fields" },
      h("div", {}, h("label", { for: "deploy-file" }, "Module"), file),
      h("div", {}, h("label", { for: "deploy-name" }, "Name"), name)),
    status, result);
}

/** The whole page takes files. */
export function takeDrops(show) {
  let depth = 0;
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (isOver) => document.body.classList.toggle("dropping", isOver);
  addEventListener("dragenter", (event) => hasFiles(event) && (event.preventDefault(), (depth += 1), mark(true)));
  addEventListener("dragleave", (event) => hasFiles(event) && ((depth = Math.max(0, depth - 1)), mark(depth > 0)));
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark(false);
    show();
    const [file] = event.dataTransfer.files;
    const [name, status, result] = ["deploy-name", "deploy-status", "deploy-result"].map((id) => document.getElementById(id));
    if (file) deploy(file, name.value, status, result);
  });
}

async function deploy(file, wanted, status, result) {
  result.replaceChildren();
  const name = wanted.trim() || file.name.replace(/\.wasm$/i, "");
  if (!NAME.test(name)) return say(status, `“${name}” is no name for a component: 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or a digit.`);
  if (file.size > BYTES_MAX) return say(status, `${file.name} has ${bytes(file.size)}; at most ${bytes(BYTES_MAX)} are taken.`);
  if (isBusy) return say(status, "Another module is being examined.");
  isBusy = true;
  say(status, `Sending and examining ${file.name} (${bytes(file.size)}) as ${name}…`);
  try {
    await send(file, name, false, status, result);
  } finally {
    isBusy = false;
  }
}

async function send(file, name, accept, status, result) {
  const path = `/api/v1/components/${encodeURIComponent(name)}${accept ? "?accept=true" : ""}`;
  try {
    const done = await ask("PUT", path, file, "application/wasm");
    const text = done.outcome === "failed" ? `${name} was taken, but does not serve: ${done.error}`
      : done.isRunning ? `${name} serves as generation ${done.generation}.` : `${name} was taken; it is stopped.`;
    say(status, text);
    announce(text);
    result.replaceChildren(report(done));
    // The next module is another component.
    document.getElementById("deploy-name").value = "";
  } catch (refusal) {
    if (refusal.newImports?.length) {
      say(status, `${name} imports what the version that serves does not.`);
      const isWanted = await confirm("Accept new imports?", `${name} imports ${refusal.newImports.join(", ")}, which the version that serves does not.`, "Accept and deploy");
      if (isWanted) return send(file, name, true, status, result);
      return say(status, `${name} was not deployed: its new imports were not accepted.`);
    }
    say(status, `${name} was not deployed; nothing was changed.`);
    result.replaceChildren(h("pre", { class: "error", tabindex: "0" }, refusal.message));
    toast(`${name} was not deployed: ${refusal.message.split("\n")[0]}`, true);
  }
}

function report(done) {
  const list = (names) => (names?.length ? h("ul", { class: "names" }, names.map((name) => h("li", {}, h("code", {}, name)))) : "none");
  const rows = [
    ["File", h("code", {}, `${done.file}, ${bytes(done.size)}`)],
    ["SHA-256", h("code", { class: "wrap" }, done.digest)],
    ["Permissions asked", done.permissionsAsked?.length ? `${done.permissionsAsked.join(", ")} (granted is what [permissions] of its settings.toml says)` : "none"],
    ["Exports", list(done.exports)], ["Imports", list(done.imports)], ["Methods", list(done.methods)],
  ];
  return h("dl", { class: "facts" }, rows.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text))));
}
