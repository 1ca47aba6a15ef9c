// The cells of a map: their numbers, values and outlines.

import { centreOf, edgeOf } from "./healpix.js";
import { cutAtEdge, mollweide } from "./projections.js";
import { unpacked } from "./packing.js";

/** Unpack the cells of a map as `browser_map.py` made it: arrays in the sequence of its runs. */
export function cellsOf(map) {
  const values = unpacked(map.values, "f4");
  const cells = { order: [], index: [], depth: [], value: values };
  for (let run = 0; run < map.runs.length; run += 3) {
    const [first, count, depth] = map.runs.slice(run, run + 3);
    const order = Math.floor(Math.log2(first) / 2 + 1e-9) - 1;
    for (let k = 0; k < count; k += 1) {
      cells.order.push(order);
      cells.index.push(first + k - 4 * 4 ** order);
      cells.depth.push(depth);
    }
  }
  return cells;
}

/** The probability of each cell, all directions being equally probable beforehand. */
export function probabilities(cells) {
  const mass = cells.order.map((order, k) => (Number.isNaN(cells.value[k]) ? 0 : Math.exp(-cells.value[k] / 2) * 4 ** -order));
  const sum = mass.reduce((total, one) => total + one, 0) || 1;
  return mass.map((one) => one / sum);
}

/** Points a side of a pixel's outline: enough that none of its edges looks broken; near the poles they bend most. */
function steps(order, index, finest) {
  const least = Math.abs(centreOf(order, index)[1]) > 1.4 ? 4 : 1;
  return Math.max(least, Math.min(32, finest / 2 ** order));
}

const outlines = new Map();

/** The outline of a pixel on Mollweide's picture, parts separated by NaN. */
export function outlineOnSky(order, index) {
  const key = 4 * 4 ** order + index;
  if (!outlines.has(key)) {
    const { ra, dec } = edgeOf(order, index, steps(order, index, 32));
    const xs = [];
    const ys = [];
    for (const part of cutAtEdge(ra, dec)) {
      if (xs.length) {
        xs.push(NaN);
        ys.push(NaN);
      }
      part.ra.forEach((a, k) => {
        const [x, y] = mollweide(a, part.dec[k]);
        xs.push(x);
        ys.push(y);
      });
    }
    outlines.set(key, { xs, ys });
  }
  return outlines.get(key);
}

/** The outline of a pixel on a zenithal picture. */
export function outlineNear(projection, order, index) {
  const { ra, dec } = edgeOf(order, index, steps(order, index, 128));
  const xs = [];
  const ys = [];
  ra.forEach((a, k) => {
    const [x, y] = projection.place(a, dec[k]);
    xs.push(x);
    ys.push(y);
  });
  return { xs, ys };
}

/** Positions of the cells that reach into a circle of so many degrees round the projection's centre. */
export function cellsNear(projection, cells, radius) {
  const found = [];
  cells.order.forEach((order, k) => {
    // No corner of a pixel is farther from its centre than its width times 1.25.
    const reach = Math.min(radius + (1.25 * 58.7) / 2 ** order, 180);
    if (projection.cosine(...centreOf(order, cells.index[k])) >= Math.cos((reach * Math.PI) / 180)) found.push(k);
  });
  return found;
}
