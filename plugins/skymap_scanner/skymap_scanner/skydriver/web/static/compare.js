// Two scans side by side.

import { ask, html, number } from "/ui/static/live.js";
import { ColourBar } from "./bar.js";
import { degrees } from "./graticule.js";
import { ZoomedMap } from "./skymap.js";

const at = (id) => document.getElementById(id);
const { a, b } = at("comparison").dataset;
const rounded = (value) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(3));

function regions(found) {
  const direction = (best) => (best ? `${degrees(best.ra, 3)}, ${degrees(best.dec, 3, true)}` : "none");
  const rows = [
    html`<tr><th scope="row">best fit</th><td class="num">${direction(found.best_fits[0])}</td><td class="num">${direction(found.best_fits[1])}</td>
      <td class="num"><b>${found.separation === null ? "–" : `${found.separation.toPrecision(3)}° apart`}</b></td></tr>`,
    html`<tr><th scope="row">lowest −log L</th><td class="num">${found.best_fits[0]?.llh.toFixed(2) ?? "–"}</td><td class="num">${found.best_fits[1]?.llh.toFixed(2) ?? "–"}</td><td></td></tr>`,
    ...found.regions.map(
      (region) => html`<tr><th scope="row">${region.label.replace("3 sigma", "3 σ")} area</th><td class="num">${rounded(region.areas[0])}</td><td class="num">${rounded(region.areas[1])}</td>
      <td class="num"><b>${(100 * region.overlap).toPrecision(3)} %</b> in both</td></tr>`,
    ),
  ];
  return `<div class="scroll" tabindex="0" role="group" aria-label="Best fits and regions"><table><thead><tr><th></th><th class="num">first</th><th class="num">second</th><th class="num">together</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>
    <p class="sub">Areas in square degrees by Wilks' levels; what is in both is in parts of what is in either, by whole cells.</p>`;
}

function pixels(found) {
  const rows = Object.entries(found.pixels).map(([nside, level]) => {
    const beyond = Object.entries(level.different).map(([name, count]) => `${name} of ${number(count)}`);
    return html`<tr><th scope="row">${nside}</th><td class="num">${number(level.both)}</td><td class="num">${number(level.only_first)}</td>
      <td class="num">${number(level.only_second)}</td><td>${beyond.join(", ") || "none"}</td></tr>`;
  });
  for (const nside of found.only_first) rows.push(html`<tr><th scope="row">${nside}</th><td colspan="4">in the first only</td></tr>`);
  for (const nside of found.only_second) rows.push(html`<tr><th scope="row">${nside}</th><td colspan="4">in the second only</td></tr>`);
  return `<div class="scroll" tabindex="0" role="group" aria-label="Pixels"><table><thead><tr><th>nside</th><th class="num">in both</th><th class="num">first only</th><th class="num">second only</th><th>beyond tolerance</th></tr></thead>
    <tbody>${rows.join("")}</tbody></table></div><p class="sub">Tolerances are those of icecube-skyreader.</p>`;
}

async function begin() {
  if (!a || !b) return;
  const query = `a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`;
  const found = await ask("GET", `/skydriver/compare.json?${query}`);
  found.titles.forEach((title, k) => { at(`title-${"ab"[k]}`).textContent = title; });
  at("regions").innerHTML = regions(found);
  at("pixels").innerHTML = pixels(found);
  at("verdict").textContent = found.close
    ? "All pixels agree within the tolerances."
    : found.separation === null ? "They differ." : `They differ; the best fits are ${found.separation.toPrecision(3)}° apart.`;
  at("found").hidden = false;
  const items = await Promise.all([0, 1].map(() => ask("GET", "/skydriver/figures/sky.json")));
  await Promise.all([a, b].map(async (scan, k) => {
    const which = "ab"[k];
    const [map, picture] = await Promise.all([
      ask("GET", `/skydriver/scans/${scan}/map.json`),
      ZoomedMap.in(items[k].zoom, at(`zoom-${which}`), new ColourBar(at(`bar-${which}`))),
    ]);
    picture.show(map);
  }));
  at("comparison").dataset.drawn = "";
}

begin().catch((error) => {
  at("trouble").hidden = false;
  at("trouble").textContent = error.message;
});
