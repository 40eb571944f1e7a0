// Small charts as SVG: a line over the last minutes, with what it shows as text.

import { h, s, say, set } from "./dom.js";
import { KEPT } from "./figures.js";

const [WIDTH, HEIGHT] = [180, 40];

function path(points, top, isFilled, kept) {
  const x = (index) => (((kept - points.length + index) / (kept - 1)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1);
  let [text, begun, last] = ["", null, null];
  points.forEach((value, index) => {
    if (value === null) return;
    text += `${last === index - 1 ? "L" : "M"}${x(index)} ${y(value)}`;
    begun ??= index;
    last = index;
  });
  if (!isFilled || begun === null) return text;
  // Only a line without gaps has an area below it.
  return `${text.replace(/(?!^)M/g, "L")}L${x(last)} ${HEIGHT}L${x(begun)} ${HEIGHT}Z`;
}

/** Looks that a small chart shows. */
const RECENT = 60;

/** A chart of one or two lines. `update(label, format, ...lines)` draws them. */
export function chart(kind = "spark") {
  const kept = kind === "spark" ? RECENT : KEPT;
  const area = s("path", { class: "area" });
  const lines = [s("path", { class: "line" }), s("path", { class: "line second" })];
  const picture = s("svg", {
    class: kind, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "no figures yet",
  }, area, ...lines);
  function update(label, format, ...all) {
    const series = all.map((points) => points.slice(-kept));
    const known = series.flat().filter((value) => value !== null);
    const top = Math.max(...known, 0) || 1;
    lines.forEach((line, index) => set(line, "d", series[index] ? path(series[index], top, false, kept) : ""));
    set(area, "d", series.length === 1 ? path(series[0], top, true, kept) : "");
    const last = series[0].findLast((value) => value !== null);
    const highest = known.length ? format(Math.max(...known)) : "–";
    const text = `${label}: now ${last === undefined ? "–" : format(last)}, highest ${highest} in the last ${minutes(series[0].length)}`;
    set(picture, "aria-label", text);
    return { text, highest };
  }
  return { picture, update };
}

function minutes(seconds) {
  return seconds < 90 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}

/** A chart with its name, the value of now, and the highest one beside it. */
export function panel(name) {
  const { picture, update } = chart("chart");
  const [value, note] = [h("span", { class: "value" }, "–"), h("span", { class: "note" })];
  const figure = h("figure", { class: "panel" }, h("figcaption", {}, h("span", { class: "name" }, name), value, note), picture);
  return {
    figure,
    update(shown, more, format, ...series) {
      const { highest } = update(name, format, ...series);
      say(value, shown);
      say(note, more ?? `highest ${highest}`);
    },
  };
}
