// The two maps of a scan: the whole sky, and round the best fit. They are drawn once, and refilled with each new map.

import { colour } from "/ui/static/bokeh.js";
import { cellsNear, cellsOf, outlineNear, outlineOnSky, probabilities } from "./cells.js";
import { ofSurroundings, ofTheSky } from "./graticule.js";
import { centreOf } from "./healpix.js";
import { Zenithal, mollweide } from "./projections.js";
import { embed, onTheme } from "./plots.js";

const RADIAN = Math.PI / 180;
const MARKERS = ["square", "diamond", "inverted_triangle", "triangle", "hex", "circle", "plus", "x"];
const DASHES = [[], [7, 4], [2, 3]];
const COLOURS = { 50: "--contour-50", 90: "--contour-90", "3sigma": "--contour-3sigma" };
const SMALLEST = 0.3;
const LARGEST = 60;

/** What both maps have in common. */
class Picture {
  constructor(figure, bar) {
    this.figure = figure;
    this.bar = bar;
    this.map = null;
    this.part = figure.part;
  }

  /** The colours of the page's theme. */
  paint() {
    const [ink, paper, unknown] = ["--ink", "--card", "--unknown-sky"].map(colour);
    this.part("colours").nan_color = unknown;
    this.part("graticule-lines").glyph.line_color = ink;
    const words = this.part("graticule-words").glyph;
    [words.text_color, words.background_fill_color] = [ink, paper];
    const best = this.part("best-mark").glyph;
    [best.fill_color, best.line_color] = ["white", "black"];
    const fits = this.part("fit-marks").glyph;
    [fits.fill_color, fits.line_color] = ["deepskyblue", "black"];
    if (this.map) this.drawLines();
  }

  /** Fill in the cells at these positions, with their outlines. */
  drawCells(positions, outline, limit) {
    const { map, cells, chances, vertices } = this;
    const columns = { xs: [], ys: [], root: [], ra: [], dec: [], height: [], llh: [], percent: [], nside: [], pixel: [], vertex: [] };
    for (const k of positions) {
      const [order, index, value] = [cells.order[k], cells.index[k], cells.value[k]];
      const { xs, ys } = outline(order, index);
      const [ra, dec] = centreOf(order, index);
      columns.xs.push(xs);
      columns.ys.push(ys);
      columns.root.push(Math.sqrt(value));
      columns.ra.push((ra / RADIAN + 360) % 360);
      columns.dec.push(dec / RADIAN);
      columns.height.push(value);
      columns.llh.push(map.lowest === null ? NaN : map.lowest + value / 2);
      columns.percent.push(100 * chances[k]);
      columns.nside.push(2 ** cells.depth[k]);
      columns.pixel.push(Number.isNaN(value) ? "without value" : vertices ? `${vertices.index[k]}` : "…");
      columns.vertex.push(vertices ? vertices.words(k) : "…");
    }
    const colours = this.part("colours");
    colours.high = Math.sqrt(limit);
    this.part("cells").data = columns;
    this.bar?.show(limit);
  }

  /** Contours, best fit and published fits. */
  drawLines() {
    const lines = { xs: [], ys: [], colour: [], dash: [] };
    const schemes = [...new Set(this.map.contours.map((contour) => contour.scheme))];
    for (const contour of this.map.contours) {
      for (const loop of contour.loops) {
        const xs = [];
        const ys = [];
        let before = null;
        for (let k = 0; k <= loop.length; k += 2) {
          const [ra, dec] = [loop[k % loop.length] * RADIAN, loop[(k + 1) % loop.length] * RADIAN];
          if (before !== null && this.jumps(before, ra)) {
            xs.push(NaN);
            ys.push(NaN);
          }
          const [x, y] = this.place(ra, dec);
          xs.push(x);
          ys.push(y);
          before = ra;
        }
        lines.xs.push(xs);
        lines.ys.push(ys);
        lines.colour.push(colour(COLOURS[contour.key]));
        lines.dash.push(DASHES[schemes.indexOf(contour.scheme)]);
      }
    }
    this.part("contours").data = lines;
    const best = this.map.overview.best_fit;
    const at = best ? this.place(best.ra * RADIAN, best.dec * RADIAN) : null;
    this.part("best").data = { x: at ? [at[0]] : [], y: at ? [at[1]] : [] };
    const fits = { x: [], y: [], marker: [], name: [] };
    this.map.fits.forEach((fit, k) => {
      const [x, y] = this.place(fit.ra * RADIAN, fit.dec * RADIAN);
      if (!this.shows(fit)) return;
      fits.x.push(x);
      fits.y.push(y);
      fits.marker.push(MARKERS[k % MARKERS.length]);
      fits.name.push(fit.name);
    });
    this.part("fits").data = fits;
  }

  drawGraticule({ lines, words }) {
    this.part("graticule").data = lines;
    this.part("words").data = words;
  }
}

/** The whole sky in Mollweide's projection. */
class WholeSky extends Picture {
  constructor(figure, bar) {
    super(figure, bar);
    this.drawGraticule(ofTheSky());
  }

  place(ra, dec) {
    return mollweide((ra + 2 * Math.PI) % (2 * Math.PI), dec);
  }

  jumps(before, now) {
    return Math.abs(now - before) > Math.PI;
  }

  shows() {
    return true;
  }

  draw() {
    this.drawCells(this.cells.order.keys(), outlineOnSky, this.map.limits[1]);
    this.drawLines();
  }
}

/** Round the best fit in Lambert's projection; follows it until a reader takes another view. */
class Surroundings extends Picture {
  constructor(figure, bar, onfollow) {
    super(figure, bar);
    this.onfollow = onfollow;
    this.isFollowing = true;
    this.isMoving = false;
    const { x_range: across, y_range: up } = figure.model;
    const moved = () => {
      if (this.isMoving || !this.map) return;
      this.isFollowing = false;
      this.onfollow(false);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), 120);
    };
    for (const range of [across, up]) {
      range.properties.start.change.connect(moved);
      range.properties.end.change.connect(moved);
    }
    figure.model.on_event("reset", () => this.follow());
  }

  /** Show the best fit again. */
  follow() {
    clearTimeout(this.timer);
    this.isFollowing = true;
    this.onfollow(true);
    if (this.map) this.draw();
  }

  place(ra, dec) {
    return this.projection.place(ra, dec);
  }

  jumps() {
    return false;
  }

  shows(fit) {
    return this.projection.cosine(fit.ra * RADIAN, fit.dec * RADIAN) > -0.9;
  }

  draw() {
    if (this.isFollowing || !this.projection) {
      const { ra, dec, radius } = surroundings(this.map);
      this.projection = new Zenithal(ra * RADIAN, dec * RADIAN);
      const half = 2 * Math.sin((radius * RADIAN) / 2) / RADIAN;
      this.isMoving = true;
      this.figure.model.x_range.setv({ start: -half, end: half, reset_start: -half, reset_end: half });
      this.figure.model.y_range.setv({ start: -half, end: half, reset_start: -half, reset_end: half });
      this.isMoving = false;
    }
    this.look();
    this.drawLines();
  }

  /** Draw what is in view. */
  look() {
    const { x_range: across, y_range: up } = this.figure.model;
    const [left, right, bottom, top] = [across.start, across.end, up.start, up.end];
    const far = Math.max(...[left, right].flatMap((x) => [bottom, top].map((y) => Math.hypot(x, y))));
    const seen = cellsNear(this.projection, this.cells, Math.min(far, 114) * 1.1);
    const limit = seen.reduce((most, k) => Math.max(most, this.cells.value[k] || 0), 0) || 1;
    this.drawCells(seen, (order, index) => outlineNear(this.projection, order, index), limit);
    this.drawGraticule(ofSurroundings(this.projection, left, right, bottom, top));
  }
}

/** Where the zoomed map looks, degrees: all contours, and published fits that are not much farther. */
function surroundings(map) {
  const best = map.overview.best_fit;
  if (!best) return { ra: 180, dec: 0, radius: LARGEST };
  const projection = new Zenithal(best.ra * RADIAN, best.dec * RADIAN);
  const away = (ra, dec) => Math.acos(Math.min(1, Math.max(-1, projection.cosine(ra * RADIAN, dec * RADIAN)))) / RADIAN;
  let reach = 0;
  for (const { loops } of map.contours) {
    for (const loop of loops) for (let k = 0; k < loop.length; k += 2) reach = Math.max(reach, away(loop[k], loop[k + 1]));
  }
  reach = Math.min(Math.max(1.3 * reach, SMALLEST), LARGEST);
  const near = map.fits.map((fit) => away(fit.ra, fit.dec)).filter((far) => far < 3 * reach);
  return { ra: best.ra, dec: best.dec, radius: Math.min(Math.max(reach, ...near.map((far) => 1.1 * far)), LARGEST) };
}

/** Show a map in pictures. */
function show(pictures, map) {
  const cells = cellsOf(map);
  const chances = probabilities(cells);
  for (const picture of pictures) {
    Object.assign(picture, { map, cells, chances, vertices: null });
    picture.draw();
  }
}

/** Both maps of one page. */
export class SkyMaps {
  /**
   * Draw them, still without data, into two elements with bars of colours below them.
   *
   * `onfollow` is told whether the second one follows the best fit, or was moved by its reader.
   */
  static async in(items, [sky, zoom], [skyBar, zoomBar], onfollow = () => {}) {
    const maps = new SkyMaps();
    maps.pictures = [
      new WholeSky(await embed(items.sky, sky), skyBar),
      new Surroundings(await embed(items.zoom, zoom), zoomBar, onfollow),
    ];
    onTheme(() => maps.pictures.forEach((picture) => picture.paint()));
    return maps;
  }

  /** Show a map. */
  show(map) {
    show(this.pictures, map);
  }

  /** Have the second one follow the best fit again. */
  follow() {
    this.pictures[1].follow();
  }

  /** Show what else is known of the pixels of the map that is shown. */
  tell(vertices) {
    for (const picture of this.pictures) {
      picture.vertices = vertices;
      picture.draw();
    }
  }
}

/** The zoomed map alone. */
export class ZoomedMap {
  static async in(item, element, bar) {
    const map = new ZoomedMap();
    map.picture = new Surroundings(await embed(item, element), bar, () => {});
    onTheme(() => map.picture.paint());
    return map;
  }

  /** Show a map. */
  show(map) {
    show([this.picture], map);
  }
}
