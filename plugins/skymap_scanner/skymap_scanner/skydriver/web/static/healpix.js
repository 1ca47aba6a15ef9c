// HEALPix pixels by NESTED index: where they are on the sky (Górski et al. 2005, ApJ 622, 759, sections 4 and 5).
//
// A pixel is a square in its base pixel, one of twelve diamonds; x and y run along the diamond's lower edges from its
// southern corner, so that both edges of a pixel are straight there, and curved on the sky.

const RING_OF_FACE = [2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]; // of the southern corner, in units of a face's half diagonal
const LONGITUDE_OF_FACE = [1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7]; // of the middle, in units of 45 degrees
const HALF = 1 << 15;

/** Every second bit of a number below 2^30. */
function evenBits(number) {
  let found = 0;
  for (let bit = 0; bit < 15; bit += 1) found |= ((number >>> (2 * bit)) & 1) << bit;
  return found;
}

/** Face and the southern corner (x, y) of a pixel, 0 to 1 along the face, with its width. */
export function placeOf(order, index) {
  const inFace = 4 ** order;
  const face = Math.floor(index / inFace);
  const rest = index - face * inFace;
  const high = Math.floor(rest / 2 ** 30);
  const low = rest - high * 2 ** 30;
  const width = 1 / 2 ** order;
  const x = (evenBits(low) + HALF * evenBits(high)) * width;
  const y = (evenBits(Math.floor(low / 2)) + HALF * evenBits(Math.floor(high / 2))) * width;
  return { face, x, y, width };
}

/** Right ascension and declination in radians of a point of a face; the right ascension is not wrapped. */
export function directionOf(face, x, y) {
  const down = RING_OF_FACE[face] - x - y; // from the north pole (0) to the south pole (4)
  const fromPole = Math.min(down, 4 - down, 1); // how long a ring is, in parts of those round the equator
  const along = LONGITUDE_OF_FACE[face] * fromPole + x - y;
  const ra = fromPole < 1e-14 ? (LONGITUDE_OF_FACE[face] * Math.PI) / 4 : ((Math.PI / 4) * along) / fromPole;
  if (fromPole >= 1) return [ra, Math.asin((2 * (2 - down)) / 3)];
  const short = fromPole ** 2 / 3; // 1 - |z|, without the loss of digits near a pole
  const dec = Math.atan2(1 - short, Math.sqrt(short * (2 - short)));
  return [ra, down < 2 ? dec : -dec];
}

/** Right ascension and declination in radians of a pixel's centre. */
export function centreOf(order, index) {
  const { face, x, y, width } = placeOf(order, index);
  return directionOf(face, x + width / 2, y + width / 2);
}

/** The edge of a pixel, `steps` points a side, as arrays of unwrapped right ascensions and of declinations. */
export function edgeOf(order, index, steps) {
  const { face, x, y, width } = placeOf(order, index);
  const ra = new Float64Array(4 * steps);
  const dec = new Float64Array(4 * steps);
  for (let k = 0; k < steps; k += 1) {
    const along = (width * k) / steps;
    const corners = [
      [x + along, y],
      [x + width, y + along],
      [x + width - along, y + width],
      [x, y + width - along],
    ];
    corners.forEach(([px, py], side) => {
      const [a, d] = directionOf(face, px, py);
      ra[side * steps + k] = a;
      dec[side * steps + k] = d;
    });
  }
  return { ra, dec };
}
