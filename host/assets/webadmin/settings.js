// The settings of a web server as a form, made from what the host says of each: type, unit, range, default, effect.

import { ask, serverPath } from "./api.js";
import { h, say, set, announce, toast } from "./dom.js";

const OF_PROCESS = "restart of the process";
const EFFECTS = {
  reload: "takes effect at once",
  "restart of the web server": "takes effect when the web server is stopped and started",
  [OF_PROCESS]: "belongs to the process: change it in tessera.toml, and start the process again",
};

export function settingsTab(name) {
  const place = h("div", {}, h("p", { class: "hint" }, "Loading…"));
  const note = h("p", { class: "status", role: "status" });
  const filter = h("input", { id: "filter", type: "search", placeholder: "port, cache, timeout…", autocomplete: "off", oninput: () => narrow() });
  let fields = [];
  let groups = [];

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const field of fields) {
      const text = `${field.key} ${field.description}`.toLowerCase();
      set(field.element, "hidden", words.every((word) => text.includes(word)) ? null : "");
    }
    for (const group of groups) set(group, "hidden", group.querySelector(".setting:not([hidden])") ? null : "");
  }

  async function list() {
    try {
      const all = await ask("GET", serverPath(name, "/settings"));
      const tables = Map.groupBy ? Map.groupBy(all, (it) => it.table) : group(all);
      fields = [];
      groups = [...tables].map(([table, settings]) => {
        const made = settings.map((setting) => field(setting, reset));
        fields.push(...made);
        return h("fieldset", {}, h("legend", {}, table ? `[${table}]` : "Web server"), made.map((it) => it.element));
      });
      place.replaceChildren(...groups);
      narrow();
    } catch (refusal) {
      place.replaceChildren(h("p", { class: "message bad" }, refusal.message));
    }
  }

  async function send(patch, focus) {
    try {
      const { changed } = await ask("PATCH", serverPath(name), patch);
      const parts = [];
      if (changed.live.length) parts.push(`in use now: ${changed.live.join(", ")}`);
      if (changed.pending.length) parts.push(`with the next start: ${changed.pending.join(", ")}`);
      const text = `Set. ${parts.join("; ")}`;
      say(note, text);
      announce(text);
      await list();
      if (focus) document.getElementById(`set-${focus}`)?.focus();
    } catch (refusal) {
      say(note, refusal.message);
      let first = null;
      for (const error of refusal.errors) {
        const of = fields.find((it) => it.key === error.key);
        of ? of.fail(error.reason) : toast(`${error.key ?? name}: ${error.reason}`, true);
        first ??= of;
      }
      first?.focus();
      if (!refusal.errors.length) toast(refusal.message, true);
    }
  }

  const reset = (key) => send({ [key]: null }, key);

  function save(event) {
    event.preventDefault();
    const changed = fields.filter((it) => it.isChanged());
    const wrong = changed.filter((it) => !it.check());
    if (wrong.length) {
      say(note, `${wrong.length === 1 ? "A setting is" : `${wrong.length} settings are`} wrong: ${wrong.map((it) => it.key).join(", ")}.`);
      return wrong[0].focus();
    }
    if (!changed.length) return say(note, "Nothing was changed.");
    send(Object.fromEntries(changed.map((it) => [it.key, it.value()])), changed[0].key);
  }

  list();
  const root = h("section", { "aria-labelledby": "tab-title" },
    h("h2", { id: "tab-title" }, "Settings"),
    h("p", { class: "hint" }, "Session options: they last until the process ends, and are written to no file."),
    h("form", { class: "settings", novalidate: true, onsubmit: save },
      h("div", { class: "bar card" }, h("div", {}, h("label", { for: "filter" }, "Find"), filter),
        h("button", { type: "submit", class: "primary", id: "save" }, "Save changes"), note),
      place));
  return { root };
}

function group(all) {
  const tables = new Map();
  for (const it of all) tables.set(it.table, [...(tables.get(it.table) ?? []), it]);
  return tables;
}

/** A control for one setting, with what is said of it and a place for what is wrong. */
function field(setting, reset) {
  const { key, schema, value } = setting;
  const id = `set-${key}`;
  const types = [schema.type ?? []].flat();
  const isFixed = setting.effect === OF_PROCESS || setting.isSecret;
  const common = { id, name: key, disabled: isFixed, "aria-describedby": `${id}-about ${id}-wrong` };
  const isJson = types.includes("array") || types.includes("object");
  const text = (it) => (it === null || it === undefined ? "" : isJson ? JSON.stringify(it) : String(it));
  let control;
  if (types.includes("boolean")) control = h("input", { ...common, type: "checkbox", checked: value === true });
  else if (schema.enum) {
    const options = schema.enum.includes(value) ? schema.enum : [value, ...schema.enum];
    control = h("select", common, options.map((it) => h("option", { value: JSON.stringify(it ?? null), selected: it === value }, text(it) || "–")));
  } else if (isJson) control = h("textarea", { ...common, rows: text(value).length > 60 ? 3 : 1, spellcheck: "false" }, text(value));
  else {
    const isNumber = types.length === 1 && (types[0] === "integer" || types[0] === "number");
    control = h("input", { ...common, type: isNumber ? "number" : "text", min: isNumber ? schema.minimum : null, max: isNumber ? schema.maximum : null,
      step: types[0] === "number" ? "any" : null, value: text(value), spellcheck: "false", autocomplete: "off" });
  }
  const wrong = h("p", { class: "wrong", id: `${id}-wrong` });
  const before = control.type === "checkbox" ? control.checked : control.value;
  const raw = () => (control.type === "checkbox" ? control.checked : control.value);

  function read() {
    if (control.type === "checkbox") return control.checked;
    if (schema.enum) return JSON.parse(control.value);
    const written = control.value.trim();
    if (isJson) return written === "" ? null : JSON.parse(written);
    const hasNumbers = types.includes("integer") || types.includes("number");
    return hasNumbers && written !== "" && Number.isFinite(Number(written)) ? Number(written) : written;
  }
  function fault() {
    let now;
    try {
      now = read();
    } catch {
      return `is not JSON; allowed: ${setting.allowed}`;
    }
    const [min, max] = [schema.minimum ?? -Infinity, schema.maximum ?? Infinity];
    if (typeof now === "number" && (now < min || now > max)) return `must be ${setting.allowed}`;
    if (typeof now === "number" && !types.includes("number") && !Number.isInteger(now)) return "must be a whole number";
    if (typeof now === "string" && (types.includes("integer") || types.includes("number"))) {
      const isText = types.includes("string") && schema.pattern && new RegExp(schema.pattern).test(now);
      if (!isText) return `must be ${setting.allowed}`;
    }
    return "";
  }
  function fail(reason) {
    say(wrong, reason);
    set(control, "aria-invalid", reason ? "true" : null);
  }
  control.addEventListener("change", () => fail(raw() === before ? "" : fault()));
  const source = { session: "set here (a session option)", start: "given to start" }[setting.source];
  const element = h("div", { class: "setting" },
    h("div", { class: "what" }, h("label", { for: id }, key.split(".").pop()), source ? h("span", { class: "badge" }, source) : null),
    h("div", { class: "control" }, control,
      setting.source === "session" ? h("button", { type: "button", class: "quiet", "aria-label": `Take back ${key}`, onclick: () => reset(key) }, "Take back") : null, wrong),
    h("p", { class: "about", id: `${id}-about` }, `${setting.description} Allowed: ${setting.allowed}. Default: ${setting.default}. It ${EFFECTS[setting.effect]}.`));
  return {
    key, element, description: setting.description, fail,
    isChanged: () => !isFixed && raw() !== before,
    check: () => (fail(fault()), !wrong.textContent),
    value: read,
    focus: () => control.focus(),
  };
}
