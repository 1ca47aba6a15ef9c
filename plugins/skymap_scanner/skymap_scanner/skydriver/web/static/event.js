// The event in the detector, from above and from the side.

import { dress } from "/ui/static/bokeh.js";
import { unpacked } from "./packing.js";
import { embed } from "./plots.js";

const SIDES = [["above", "x", "y"], ["side", "x", "z"]];

/** Draw an event as `event_data.py` made it into two elements. */
export async function drawEvent(items, event, elements) {
  const seen = Object.fromEntries(
    Object.entries(event.seen).map(([name, text]) => [name, unpacked(text, name === "string" || name === "om" ? "i4" : "f4")]),
  );
  const quiet = Object.fromEntries(Object.entries(event.quiet).map(([name, text]) => [name, unpacked(text, "f4")]));
  const size = Array.from(seen.charge, (charge) => 3 + 2.6 * Math.max(charge, 0.1) ** 0.33);
  for (const [k, [name, across, up]] of SIDES.entries()) {
    const figure = await embed(items[name], elements[k]);
    figure.part("quiet").data = { x: quiet[across], y: quiet[up] };
    const { string, om, charge, time } = seen;
    const times = figure.part("times");
    [times.low, times.high] = event.times;
    figure.part("seen").data = { x: seen[across], y: seen[up], size, string, om, charge, time };
    if (event.truth) {
      const axis = (which) => event.truth.map((point) => point["xyz".indexOf(which)]);
      figure.part("truth").data = { x: axis(across), y: axis(up) };
    }
    dress(figure.model, ({ ink, muted }) => {
      figure.part("quiet-marks").glyph.fill_color = muted;
      figure.part("seen-marks").glyph.line_color = ink;
      figure.part("truth-line").glyph.line_color = ink;
    });
  }
}
