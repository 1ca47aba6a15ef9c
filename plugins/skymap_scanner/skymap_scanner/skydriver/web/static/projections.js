// From the sky to the picture. Right ascension rises to the left in all of them.

const TURN = 2 * Math.PI;

/** Mollweide's projection with 12 h in the middle; `ra` from 0 to 2 pi, radians. */
export function mollweide(ra, dec) {
  const wanted = Math.PI * Math.sin(dec);
  let t = dec;
  if (Math.abs(Math.abs(dec) - Math.PI / 2) < 1e-9) {
    t = dec;
  } else {
    for (let k = 0; k < 50; k += 1) {
      const step = (2 * t + Math.sin(2 * t) - wanted) / (2 + 2 * Math.cos(2 * t));
      t -= step;
      if (Math.abs(step) < 1e-9) break;
    }
  }
  return [((2 * Math.SQRT2) / Math.PI) * (Math.PI - ra) * Math.cos(t), Math.SQRT2 * Math.sin(t)];
}

/** Where a point of Mollweide's picture is on the sky; null outside of the ellipse. */
export function fromMollweide(x, y) {
  const t = Math.asin(y / Math.SQRT2);
  const dec = Math.asin((2 * t + Math.sin(2 * t)) / Math.PI);
  const ra = Math.PI - (Math.PI * x) / (2 * Math.SQRT2 * Math.cos(t));
  return ra >= 0 && ra <= TURN && Number.isFinite(dec) ? [ra, dec] : null;
}

/** Cut the outline of a pixel at right ascension 0; returns parts with right ascensions from 0 to 2 pi. */
export function cutAtEdge(ra, dec) {
  let lowest = Infinity;
  let highest = -Infinity;
  for (const a of ra) {
    lowest = Math.min(lowest, a);
    highest = Math.max(highest, a);
  }
  const turns = Math.floor((lowest + highest) / 2 / TURN) * TURN;
  if (lowest - turns >= -1e-12 && highest - turns <= TURN + 1e-12) {
    return [{ ra: ra.map((a) => Math.min(Math.max(a - turns, 0), TURN)), dec }];
  }
  const edge = lowest - turns < 0 ? turns : turns + TURN;
  return [half(ra, dec, edge, 1), half(ra, dec, edge, -1)].filter((part) => part.ra.length > 2);
}

/** The part of an outline on one side of a meridian, which it follows in small steps. */
function half(ra, dec, edge, side) {
  const outline = { ra: [], dec: [] };
  const add = (a, d) => {
    const count = outline.ra.length;
    const [before, was] = [outline.ra[count - 1], outline.dec[count - 1]];
    const here = side > 0 ? a - edge : a - edge + TURN;
    const wall = side > 0 ? 0 : TURN;
    if (count && before === wall && here === wall) {
      const steps = Math.ceil(Math.abs(d - was) / 0.03);
      for (let k = 1; k < steps; k += 1) {
        outline.ra.push(wall);
        outline.dec.push(was + ((d - was) * k) / steps);
      }
    }
    outline.ra.push(here);
    outline.dec.push(d);
  };
  const inside = (a) => (a - edge) * side >= 0;
  for (let k = 0; k <= ra.length; k += 1) {
    const [j, i] = [k % ra.length, (k + ra.length - 1) % ra.length];
    if (k > 0 && inside(ra[i]) !== inside(ra[j])) {
      add(edge, dec[i] + ((dec[j] - dec[i]) * (edge - ra[i])) / (ra[j] - ra[i]));
    }
    if (k < ra.length && inside(ra[j])) add(ra[j], dec[j]);
  }
  if (outline.ra.length && outline.ra[0] === outline.ra.at(-1)) add(outline.ra[0], outline.dec[0]);
  return outline;
}

/** Unit vector of a direction in radians. */
export function vectorOf(ra, dec) {
  return [Math.cos(dec) * Math.cos(ra), Math.cos(dec) * Math.sin(ra), Math.sin(dec)];
}

/** Right ascension from 0 to 2 pi and declination of a vector. */
export function directionOfVector([x, y, z]) {
  return [(Math.atan2(y, x) + TURN) % TURN, Math.atan2(z, Math.hypot(x, y))];
}

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Lambert's zenithal equal-area projection about a centre in radians; the picture is in degrees, north is up. */
export class Zenithal {
  constructor(ra, dec) {
    this.ra = ra;
    this.dec = dec;
    this.centre = vectorOf(ra, dec);
    this.east = [-Math.sin(ra), Math.cos(ra), 0];
    this.north = [-Math.sin(dec) * Math.cos(ra), -Math.sin(dec) * Math.sin(ra), Math.cos(dec)];
  }

  /** Where a direction in radians is on the picture. */
  place(ra, dec) {
    const vector = vectorOf(ra, dec);
    const stretch = (180 / Math.PI) * Math.sqrt(2 / Math.max(1 + dot(vector, this.centre), 1e-9));
    return [-stretch * dot(vector, this.east), stretch * dot(vector, this.north)];
  }

  /** The direction of a point of the picture; null where there is none. */
  direction(x, y) {
    const [left, up] = [(-x * Math.PI) / 180, (y * Math.PI) / 180];
    const square = left * left + up * up;
    if (square >= 4) return null;
    const stretch = Math.sqrt(1 - square / 4);
    const cosine = 1 - square / 2;
    const along = (k) => cosine * this.centre[k] + stretch * (left * this.east[k] + up * this.north[k]);
    return directionOfVector([along(0), along(1), along(2)]);
  }

  /** Cosine of the angle between the centre and a direction in radians. */
  cosine(ra, dec) {
    return dot(vectorOf(ra, dec), this.centre);
  }
}
