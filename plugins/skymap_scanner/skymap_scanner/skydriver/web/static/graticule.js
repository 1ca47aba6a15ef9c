// Lines of equal right ascension and declination, and the words at them.

import { mollweide } from "./projections.js";

const RADIAN = Math.PI / 180;
const STEPS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30];

/** Of the whole sky: every two hours and thirty degrees, and the outline. */
export function ofTheSky() {
  const lines = { xs: [], ys: [] };
  const words = { x: [], y: [], text: [], align: [], base: [] };
  const add = (points) => {
    lines.xs.push(points.map(([x]) => x));
    lines.ys.push(points.map(([, y]) => y));
  };
  const along = (from, to, step) => Array.from({ length: Math.round((to - from) / step) + 1 }, (_, k) => from + k * step);
  for (const hour of [...along(0, 24, 2)]) {
    add(along(-90, 90, 3).map((dec) => mollweide(hour * 15 * RADIAN, dec * RADIAN)));
    if (hour > 0 && hour < 24 && hour % 4 === 0) {
      const [x, y] = mollweide(hour * 15 * RADIAN, 0);
      put(words, x, y + 0.02, `${hour} h`, "center", "bottom");
    }
  }
  for (const dec of [-60, -30, 0, 30, 60]) {
    add(along(0, 360, 4).map((ra) => mollweide(ra * RADIAN, dec * RADIAN)));
    const [x, y] = mollweide(2 * Math.PI, dec * RADIAN);
    if (dec) put(words, x + 0.06, y, degrees(dec, 0, true), "left", "middle");
  }
  return { lines, words };
}

/** Of a zenithal picture of so many degrees to each side: about five lines each way. */
export function ofSurroundings(projection, left, right, bottom, top) {
  const lines = { xs: [], ys: [] };
  const words = { x: [], y: [], text: [], align: [], base: [] };
  const half = Math.max(right - left, top - bottom) / 2;
  const step = STEPS.find((one) => one >= half / 2.6) ?? 30;
  const [middleRa, middleDec] = middle(projection, (left + right) / 2, (bottom + top) / 2);
  const reach = half * 1.6;
  const highest = Math.min(89.999, Math.max(Math.abs(middleDec - reach), Math.abs(middleDec + reach)));
  const stretch = 1 / Math.max(Math.cos(highest * RADIAN), 1e-3);
  const raStep = STEPS.concat(45, 90).find((one) => one >= (step / Math.max(Math.cos(middleDec * RADIAN), 0.02)) * 0.99) ?? 90;
  const raReach = Math.min(180, reach * stretch);
  const digits = (one) => Math.max(0, Math.ceil(-Math.log10(one) - 1e-9)) + (String(one).endsWith("25") ? 1 : 0);
  const firstDec = Math.ceil(Math.max(-90, middleDec - reach) / step) * step;
  for (let dec = firstDec; dec <= Math.min(90, middleDec + reach) + 1e-9; dec += step) {
    const points = range(middleRa - raReach, middleRa + raReach, 90).map((ra) => projection.place(ra * RADIAN, dec * RADIAN));
    push(lines, points);
    const at = crossing(points, ([x]) => x - left);
    if (at && at[1] > bottom + half * 0.12 && at[1] < top - half * 0.09) put(words, left, at[1], ` ${degrees(dec, digits(step), true)}`, "left", "bottom");
  }
  const firstRa = Math.ceil((middleRa - raReach) / raStep) * raStep;
  for (let ra = firstRa; ra <= middleRa + raReach && ra < firstRa + 360 - 1e-9; ra += raStep) {
    const from = Math.max(-90, middleDec - reach);
    const points = range(from, Math.min(90, middleDec + reach), 60).map((dec) => projection.place(ra * RADIAN, dec * RADIAN));
    push(lines, points);
    const at = crossing(points, ([, y]) => y - bottom);
    if (at && at[0] > left + half * 0.05 && at[0] < right - half * 0.15) put(words, at[0], bottom, ` ${degrees((ra + 720) % 360, digits(raStep))}`, "left", "bottom");
  }
  return { lines, words };
}

function middle(projection, x, y) {
  const found = projection.direction(x, y) ?? [projection.ra, projection.dec];
  return found.map((angle) => angle / RADIAN);
}

function range(from, to, count) {
  return Array.from({ length: count + 1 }, (_, k) => from + ((to - from) * k) / count);
}

function push(lines, points) {
  lines.xs.push(points.map(([x]) => x));
  lines.ys.push(points.map(([, y]) => y));
}

/** Where a line first changes the sign of what a function says of its points. */
function crossing(points, of) {
  for (let k = 1; k < points.length; k += 1) {
    const [a, b] = [of(points[k - 1]), of(points[k])];
    if (a <= 0 !== b <= 0) {
      const part = a / (a - b);
      return points[k].map((value, axis) => points[k - 1][axis] + part * (value - points[k - 1][axis]));
    }
  }
  return null;
}

function put(words, x, y, text, align, base) {
  words.x.push(x);
  words.y.push(y);
  words.text.push(text);
  words.align.push(align);
  words.base.push(base);
}

/** An angle in words. */
export function degrees(angle, digits, signed = false) {
  const text = Math.abs(angle).toFixed(digits);
  const sign = angle < -1e-9 ? "−" : signed && angle > 1e-9 ? "+" : "";
  return `${sign}${text}°`;
}
