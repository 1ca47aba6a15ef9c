// The tables of a scan's page.

import { html, number } from "/ui/static/live.js";
import { degrees } from "./graticule.js";

/** Three digits, without an exponent. */
const rounded = (value) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(value < 0.1 ? 2 : 3));
const list = (items, row) => items.map(row).join("");

/** Direction with errors, in degrees and in hours. */
export function bestFit({ overview, verdict }) {
  const best = overview.best_fit;
  if (!best) return html`<p class="warning">No direction: ${verdict}.</p>`;
  const box = (key, name) => {
    const error = overview.errors[key];
    return html`<td class="num">+${rounded(error[`${name}_plus`])} −${rounded(error[`${name}_minus`])}°</td>`;
  };
  const row = (title, value, name) =>
    html`<tr><th scope="row">${title}</th><td class="num"><b>${value}</b></td>` + box("50", name) + box("90", name) + "</tr>";
  const between = overview.interpolated;
  const facts = [
    ["Right ascension in hours", hours(best.ra)],
    ["Pixel", `${number(best.pixel)} of nside ${best.nside}`],
    ["−log L", best.llh.toFixed(2)],
    ["Circle of the 90 % area", `radius ${rounded(overview.errors["90"].radius)}°`],
    ["Between the pixels", between ? `${degrees(between.ra, 3)}, ${degrees(between.dec, 3, true)}` : "–"],
  ];
  return `<div class="scroll" tabindex="0" role="group" aria-label="Best fit"><table><thead><tr><th></th><th class="num">best pixel</th><th class="num">50 %</th><th class="num">90 %</th></tr></thead>
    <tbody>${row("RA", degrees(best.ra, 3), "ra")}${row("Dec", degrees(best.dec, 3, true), "dec")}</tbody></table></div>
    <dl class="facts above">${list(facts, ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function hours(ra) {
  const seconds = Math.round((ra / 15) * 36000) / 10;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h} h ${String(m).padStart(2, "0")} min ${s.toFixed(1).padStart(4, "0")} s`;
}

/** Levels, where they come from, and areas. */
export function contours({ contours: found, overview }) {
  if (!found.length) return '<p class="muted">There are none.</p>';
  const names = [...new Set(found.map((contour) => contour.scheme))];
  const one = (contour) => html`<tr><td class="tight"><span class="line of-${contour.key} dash-${names.indexOf(contour.scheme)}"></span></td>
      <td>${contour.label.replace("3 sigma", "3 σ")} <span class="sub scheme">${contour.scheme}</span></td>
      <td class="num">${contour.two_delta.toFixed(2)}</td><td class="num"><b>${rounded(contour.area)}</b></td></tr>`;
  const notes = [...new Map(found.map((contour) => [contour.scheme, contour.note]))];
  const chance = overview.credible_areas;
  return `<div class="scroll" tabindex="0" role="group" aria-label="Contours"><table><thead><tr><th></th><th>contour</th><th class="num">2 Δllh</th><th class="num">area / sq. deg</th></tr></thead>
    <tbody>${list(found, one)}</tbody></table></div>
    ${list(notes, ([scheme, note]) => html`<p class="sub"><b class="scheme">${scheme}</b>: ${note}.</p>`)}
    ${html`<p class="sub"><b>Highest probability</b>: 50 % in ${rounded(chance["50"])}, 90 % in ${rounded(chance["90"])} sq. deg.</p>`}`;
}

/** Fits that came with the event. */
export function fits({ fits: found }) {
  const shapes = ["■", "◆", "▼", "▲", "⬢", "●", "✚", "✖"];
  const one = (fit, k) => html`<tr><td class="tight"><span class="mark">${shapes[k % shapes.length]}</span></td><td class="breaks">${fit.name}</td>
      <td class="num">${degrees(fit.ra, 2)}</td><td class="num">${degrees(fit.dec, 2, true)}</td>
      <td class="num"><b>${fit.distance === null ? "–" : degrees(fit.distance, 2)}</b></td></tr>`;
  return `<div class="scroll" tabindex="0" role="group" aria-label="Published fits"><table><thead><tr><th></th><th>fit</th><th class="num">RA</th><th class="num">Dec</th><th class="num">from the best fit</th></tr></thead>
    <tbody>${found.map(one).join("")}</tbody></table></div>`;
}

/** How far each nside is. */
export function levels({ levels: found, pixels, dead_lettered: lost, kind }) {
  const one = ({ nside, done, planned }) =>
    html`<div class="level"><label for="nside-${nside}">nside ${nside}</label>
      <meter id="nside-${nside}" min="0" max="${planned || 1}" value="${done}">${done} of ${planned}</meter>
      <span class="num">${planned ? `${number(done)} of ${number(planned)}` : kind === "complete" ? "–" : "not begun"}</span></div>`;
  const rest = [];
  if (pixels?.seconds) rest.push(`a pixel takes ${pixels.seconds < 1 ? `${(1000 * pixels.seconds).toPrecision(2)} ms` : `${pixels.seconds.toPrecision(2)} s`}`);
  if (lost) rest.push(`${number(lost)} given up on`);
  return list(found, one) + (rest.length ? html`<p class="sub">${rest.join(", ")}</p>` : "");
}

/** Where its workers are. */
export function clusters({ clusters: found }) {
  if (!found.length) return '<p class="muted">None yet.</p>';
  const one = (batch) => html`<tr><td>${batch.cluster}</td><td class="num">${number(batch.wanted)}${batch.most === null ? "" : ` of ${number(batch.most)}`}</td>
      <td>${batch.phase}<span class="sub">${batch.reason}</span></td></tr>`;
  return `<table><thead><tr><th>cluster</th><th class="num">wanted now</th><th>phase</th></tr></thead><tbody>${list(found, one)}</tbody></table>`;
}

const DRAWN = [
  ["fullsky.png", "Picture of the whole sky", "PNG"],
  ["zoomed.png", "Picture around the best fit", "PNG"],
  ["event.png", "Picture of the event", "PNG"],
  ["result.json", "All pixels, for icecube-skyreader", "JSON"],
  ["result.npz", "All pixels, for icecube-skyreader", "NPZ"],
  ["multiorder.fits", "Probability, for ligo.skymap, mocpy and mhealpy", "FITS"],
  ["map.json", "Numbers of this page", "JSON"],
];

/** What can be taken away. */
export function downloads({ number: shown, files }, base) {
  if (!shown) return "";
  const drawn = DRAWN.map(([name, words, kind]) => html`<li><a href="${base}/files/${name}" download>${words}</a> <span class="label">${kind}</span></li>`);
  const kept = files.map((name) => {
    const short = name.split("/").pop();
    return html`<li><a href="${base}/files/${name}" download class="breaks">${short}</a></li>`;
  });
  return drawn.join("") + (kept.length ? `<li><details id="kept"><summary>All ${kept.length} files as the scan wrote them</summary><ul class="downloads">${kept.join("")}</ul></details></li>` : "");
}
