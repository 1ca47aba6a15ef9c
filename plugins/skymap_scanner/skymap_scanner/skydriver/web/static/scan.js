// The page of one scan: everything on it follows the scan's stream of events.

import { ask, duration, follow, html, number } from "/ui/static/live.js";
import { ColourBar } from "./bar.js";
import { drawEvent } from "./event.js";
import { degrees } from "./graticule.js";
import { unpacked } from "./packing.js";
import { SkyMaps } from "./skymap.js";
import { bestFit, clusters, contours, downloads, fits, levels } from "./tables.js";

const page = document.getElementById("scan");
const base = `/skydriver/scans/${page.dataset.scan}`;
const at = (id) => document.getElementById(id);
const OF_THE_WORKFLOW = ["resume", "cancel"];
const OVER = new Set(["complete", "failed", "cancelled"]);

/** Replace the content of an element, unless it is the same. */
const shown = new Map();
function put(id, text) {
  if (shown.get(id) === text) return;
  shown.set(id, text);
  at(id).innerHTML = text;
}

/** Maps are drawn when Bokeh is there; until then the newest one waits. */
let maps = null;
let waiting = null;
let standing = null;
let known = { number: 0, asked: 0 };

async function begin() {
  const items = await ask("GET", "/skydriver/figures/sky.json");
  maps = await SkyMaps.in(items, [at("sky"), at("zoom")], [new ColourBar(at("sky-bar")), new ColourBar(at("zoom-bar"))], (follows) => {
    at("follow").hidden = follows;
  });
  at("follow").addEventListener("click", () => maps.follow());
  if (waiting) showMap(waiting);
  const [figures, event] = await Promise.all([ask("GET", "/skydriver/figures/event.json"), ask("GET", `${base}/event.json`)]);
  at("event-words").textContent = `${number(Math.round(event.charge))} photoelectrons in ${number(event.pulses)} pulses`;
  await drawEvent(figures, event, [at("event-above"), at("event-side")]);
}

function showMap(map) {
  waiting = map;
  const { overview } = map;
  const best = overview.best_fit;
  const error = overview.errors?.["90"];
  put("ra", best ? html`${degrees(best.ra, 2)} <small>${plusMinus(error.ra_plus, error.ra_minus)}</small>` : "–");
  put("dec", best ? html`${degrees(best.dec, 2, true)} <small>${plusMinus(error.dec_plus, error.dec_minus)}</small>` : "–");
  const areas = map.contours.filter((contour) => contour.key === "90");
  const area = areas.find((contour) => contour.scheme === "calibrated") ?? areas[0];
  put("area", area ? html`${rounded(area.area)} <small>sq. deg</small>` : "–");
  at("map-number").textContent = map.complete ? "Finished map" : `Partial map ${map.number}`;
  put("best-fit", bestFit(map));
  put("contours", contours(map));
  at("fits-card").hidden = !map.fits.length;
  put("fits", fits(map));
  document.querySelector("#sky .waiting")?.remove();
  if (!maps) return;
  maps.show(map);
  page.dataset.map = map.number;
  page.dataset.complete = map.complete;
  if (known.wanted) tellVertices();
}

/** Ask for what else is known of the pixels, once for each map, and only for those who point at it. */
async function tellVertices() {
  known.wanted = true;
  const map = waiting;
  if (!map || !maps || known.asked === map.number) return;
  known.asked = map.number;
  const found = await ask("GET", `${base}/vertices.json?number=${map.number}`).catch(() => null);
  if (!found || map !== waiting) return;
  const columns = Object.fromEntries(
    Object.entries(found).map(([name, text]) => [name, unpacked(text, name === "index" ? "i4" : "f4")]),
  );
  const metres = (name, k) => (Number.isFinite(columns[name]?.[k]) ? String(Math.round(columns[name][k])) : "–");
  const words = (k) => (columns.X ? `${metres("X", k)}, ${metres("Y", k)}, ${metres("Z", k)} m` : "none");
  maps.tell({ index: columns.index, words });
  page.dataset.vertices = map.number;
}

function showStanding(now) {
  standing = now;
  page.dataset.kind = now.kind;
  const badge = at("state");
  badge.className = `state ${now.kind}`;
  badge.textContent = now.words;
  badge.title = now.code;
  const reason = at("reason");
  reason.hidden = !now.reason;
  reason.textContent = now.reason;
  reason.className = now.kind === "failed" ? "trouble" : "warning";
  at("pixels").textContent = now.pixels ? number(now.pixels.done) : "–";
  at("workers").textContent = OVER.has(now.kind) ? "–" : number(now.workers);
  put("levels", levels(now));
  put("clusters", clusters(now));
  put("downloads", downloads(now, base));
  at("no-downloads").hidden = now.number > 0;
  for (const button of document.querySelectorAll("[data-while]")) {
    button.hidden = !button.dataset.while.split(" ").includes(now.kind);
    if (!OF_THE_WORKFLOW.includes(button.id)) continue;
    button.hidden ||= !now.workflow_id;
    button.dataset.url = `/api/workflows/${now.workflow_id}/actions/${button.id}`;
  }
  tick();
}

/** The time that the scan took, or takes until now. */
function tick() {
  if (!standing) return;
  const seconds = standing.ended ? standing.ended - standing.submitted : Date.now() / 1000 - standing.submitted;
  at("took").textContent = duration(Math.max(0, Math.round(10 * seconds) / 10));
}

const short = (value) => (value >= 10 ? String(Math.round(value)) : value.toPrecision(2));
const plusMinus = (plus, minus) => `+${short(plus)} −${short(minus)}`;
const rounded = (value) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(value < 0.1 ? 2 : 3));

follow(`${base}/stream`, {
  map: showMap,
  standing: showStanding,
  gone: ({ reason }) => {
    at("reason").hidden = false;
    at("reason").textContent = reason;
  },
});
setInterval(() => standing && !standing.ended && tick(), 1000);
for (const id of ["sky", "zoom"]) {
  at(id).addEventListener("pointerenter", tellVertices);
  at(id).addEventListener("pointerdown", tellVertices);
}
document.addEventListener("done", ({ target, detail }) => {
  if (target.id === "rescan") location.assign(`/skydriver/scans/${detail.scan_id}`);
  else if (target.id === "delete") location.assign("/skydriver/scans");
});
begin().catch((error) => {
  at("reason").hidden = false;
  at("reason").textContent = `The maps cannot be drawn: ${error.message}`;
});
