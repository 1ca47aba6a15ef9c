// Bokeh's figures in a page: in the page's colours, their data replaced in place.

import { loadBokeh } from "/ui/static/bokeh.js";

/** Call a function now, and whenever the page turns light or dark. */
export function onTheme(paint) {
  paint();
  document.addEventListener("theme", () => requestAnimationFrame(paint));
}

/** Put a figure of `figures.py` into an element; gives the figure with its parts by their names. */
export async function embed(item, element) {
  const Bokeh = await loadBokeh();
  const views = await Bokeh.embed.embed_item(item, element);
  const { model } = [...views][0];
  return { model, view: [...views][0], part: (name) => model.document.get_model_by_name(name) };
}
