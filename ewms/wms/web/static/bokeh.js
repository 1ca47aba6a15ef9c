// BokehJS, from the service itself.

const PLACE = "/ui/static/bokeh/js/";
const PARTS = ["bokeh.min.js", "bokeh-api.min.js"];
let loading = null;

function load(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = PLACE + name;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${name} cannot be loaded`));
    document.head.append(script);
  });
}

// Bokeh makes style sheets as it draws; the page's policy lets in those that carry its nonce.
function markStyleSheets() {
  const nonce = document.querySelector("script[nonce]")?.nonce ?? "";
  const make = document.createElement.bind(document);
  document.createElement = (name, ...rest) => {
    const element = make(name, ...rest);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
}

/** The Bokeh object, loaded once. */
export async function loadBokeh() {
  loading ??= (async () => {
    markStyleSheets();
    for (const part of PARTS) await load(part);
    Bokeh.set_log_level("warn");
    return Bokeh;
  })();
  return loading;
}

/** What a custom property of the page's style sheet is as a colour now, for example "--accent". */
export function colour(property) {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Give a figure the page's colours, now and whenever the reader switches between light and dark. */
export function dress(figure, more = () => {}) {
  const paint = () => {
    const [ink, muted, line] = ["--ink", "--muted", "--line"].map(colour);
    const font = getComputedStyle(document.body).fontFamily;
    figure.setv({ background_fill_alpha: 0, border_fill_alpha: 0, outline_line_color: null });
    for (const axis of [...figure.below, ...figure.left]) {
      axis.setv({
        axis_line_color: line, major_tick_line_color: line, minor_tick_line_color: null,
        major_label_text_color: muted, axis_label_text_color: ink,
        major_label_text_font: font, axis_label_text_font: font, axis_label_text_font_style: "normal",
      });
    }
    for (const grid of figure.center) if ("grid_line_color" in grid) grid.setv({ grid_line_color: line });
    more({ ink, muted, line, accent: colour("--accent"), good: colour("--good"), bad: colour("--bad"), warn: colour("--warn") });
  };
  paint();
  document.addEventListener("theme", paint);
}
