// Bokeh's figures in a page: let in by the page's policy, in the page's colours, their data replaced in place.

/** A colour of the page's theme, as `rgb(…)`. */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Call a function now, and whenever the page turns light or dark. */
export function onTheme(paint) {
  paint();
  document.addEventListener("theme", () => requestAnimationFrame(paint));
}

/** Put a figure of `figures.py` into an element; gives the figure with its parts by their names. */
export async function embed(item, element) {
  const views = await globalThis.Bokeh.embed.embed_item(item, element);
  const { model } = [...views][0];
  return { model, view: [...views][0], part: (name) => model.document.get_model_by_name(name) };
}
