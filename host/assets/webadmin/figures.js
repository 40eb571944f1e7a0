// Keeps the figures of the last minutes, and makes rates of counters.

/** Looks that are kept: one each second. */
export const KEPT = 180;
/** Looks over which a rate or a latency is told as a number. */
const WINDOW = 5;
/** Seconds between two looks after which something is missing. */
const GAP = 3;

const looks = [];
let bounds = [];

export function add(figures) {
  bounds = figures.bounds;
  const last = now();
  // The process was started anew: its counters are, too.
  if (last && figures.at < last.at) looks.length = 0;
  else if (last && figures.at - last.at > GAP) {
    // Nobody looked for a while: the charts have a gap.
    for (let missed = Math.min(KEPT, Math.round(figures.at - last.at)) - 1; missed > 0; missed -= 1) looks.push(null);
  }
  looks.push({ ...figures, servers: new Map(figures.servers.map((server) => [server.name, server])) });
  looks.splice(0, Math.max(0, looks.length - KEPT));
}

export const now = () => looks.at(-1);

/** The oldest look of the last few, to compare with the one of now. */
const before = (count) => looks.slice(-1 - count, -1).find(Boolean);
export const server = (name) => now()?.servers.get(name);

function perSecond(older, newer, value) {
  const [from, to] = [value(older), value(newer)];
  const span = newer.at - older.at;
  if (from === undefined || to === undefined || span <= 0) return null;
  return Math.max(0, to - from) / span;
}

/** The value of a counter per second, over the last looks. */
export function rate(value) {
  const older = before(WINDOW);
  return older ? perSecond(older, now(), value) : null;
}

/** The same for each second, for a chart. */
export const rates = (value) => pairs((older, newer) => perSecond(older, newer, value));

/** A value as it was at each look. */
export const values = (value) => looks.map((look) => (look ? value(look) ?? null : null));

function pairs(value) {
  return looks.slice(1).map((newer, index) => (newer && looks[index] ? value(looks[index], newer) : null));
}

/** The time that a part of the requests did not take, between two looks: from ranges, and even within a range. */
function quantile(older, newer, times, part) {
  const [from, to] = [times(older), times(newer)];
  if (!from || !to) return null;
  const counts = to.map((value, index) => Math.max(0, value - from[index]));
  const all = counts.reduce((sum, value) => sum + value, 0);
  if (!all) return null;
  let rest = all * part;
  for (const [index, value] of counts.entries()) {
    if (value && rest <= value) {
      const low = index ? bounds[index - 1] : 0;
      const high = bounds[index] ?? low;
      return low + (high - low) * (rest / value);
    }
    rest -= value;
  }
  return bounds.at(-1);
}

export function latency(times, part) {
  const older = before(2 * WINDOW);
  return older ? quantile(older, now(), times, part) : null;
}

export const latencies = (times, part) => pairs((older, newer) => quantile(older, newer, times, part));

/** What each server tells, by name. */
export const of = (name, key) => (look) => look.servers.get(name)?.[key];

/** The sum over all servers. */
export const sum = (key) => (look) => {
  let all = 0;
  for (const server of look.servers.values()) all += server[key] ?? 0;
  return all;
};

export const sumTimes = (look) => {
  const all = bounds.concat(0).map(() => 0);
  for (const server of look.servers.values()) server.times.forEach((value, index) => (all[index] += value));
  return all;
};

/** The part of requests for files that was answered from memory, since the process began. */
export function hitRate(hits, misses) {
  return hits + misses > 0 ? hits / (hits + misses) : null;
}
