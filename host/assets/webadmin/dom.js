// Makes elements, and texts of numbers. Nothing here is ever read as HTML: what servers and clients are called is text.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const by = (id) => document.getElementById(id);

/** Sets a text only if it differs, so that nothing is announced or selected away for nothing. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function set(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
export const NONE = "–";

export const number = (value) =>
  value === null || value === undefined ? NONE : value >= 100 ? whole.format(value) : precise.format(value);
export const count = (value) => (value === null || value === undefined ? NONE : whole.format(value));
export const percent = (value) => (value === null || value === undefined ? NONE : `${precise.format(value * 100)} %`);

export function bytes(value) {
  if (value === null || value === undefined) return NONE;
  let index = 0;
  for (; value >= 1024 && index < 4; index += 1) value /= 1024;
  return `${precise.format(value)} ${["B", "KiB", "MiB", "GiB", "TiB"][index]}`;
}

/** Seconds in the unit that suits them. */
export function time(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 0.001) return `${precise.format(seconds * 1e6)} µs`;
  if (seconds < 1) return `${precise.format(seconds * 1000)} ms`;
  return `${precise.format(seconds)} s`;
}

export function age(seconds) {
  const [d, hr, m] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (d) return `${d} d ${hr} h`;
  if (hr) return `${hr} h ${m} min`;
  return m ? `${m} min` : `${Math.floor(seconds)} s`;
}

const stamp = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

/** A date of the host in the time of whoever reads it: 2026-11-21 12:00:00. */
export function when(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text || NONE : stamp.format(date);
}

/** Tells whoever listens rather than looks. */
export const announce = (text) => say(by("announce"), text);

/** A message that stays until it is taken away; an error is told at once. */
export function toast(text, isError) {
  const close = () => message.remove();
  const message = h("div", { class: isError ? "toast bad" : "toast", role: isError ? "alert" : "status" },
    h("p", {}, text), h("button", { type: "button", class: "quiet", "aria-label": "Dismiss the message", onclick: close }, "×"));
  by("toasts").append(message);
  while (by("toasts").children.length > 4) by("toasts").firstChild.remove();
  if (!isError) setTimeout(close, 8000);
}

/** Asks; the answer is true or false. */
export function confirm(title, text, yes) {
  const dialog = by("confirm");
  say(by("confirm-title"), title);
  say(by("confirm-text"), text);
  say(by("confirm-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
