// The bar of colours below a map.

import { number } from "/ui/static/live.js";

/** Ticks of 2 (llh - lowest llh) where the colours go by its square root. */
function ticksTo(limit) {
  const step = 10 ** Math.floor(Math.log10(limit));
  const found = [0, ...[1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].filter((one) => one > limit / 1500 && one < 0.7 * limit)];
  return [...found, Math.floor(limit / step + 1e-9) * step].filter((one, k, all) => k === 0 || one > all[k - 1] * 1.01);
}

/** Shows which colour means what, in an element. */
export class ColourBar {
  constructor(element) {
    this.ticks = element.querySelector(".ticks");
  }

  /** Show the scale from 0 to a limit. */
  show(limit) {
    let last = -1;
    const shown = [];
    for (const value of ticksTo(limit)) {
      const along = Math.sqrt(value / limit);
      if (along - last < 0.09) continue;
      last = along;
      const tick = document.createElement("span");
      tick.textContent = number(value);
      tick.style.left = `${100 * along}%`;
      shown.push(tick);
    }
    this.ticks.replaceChildren(...shown);
  }
}
