// Events per second over time, as a chart that grows while the page is open.
import { loadBokeh, dress } from "./bokeh.js";

const KEPT = 600;
const SPAN = 4000;
const STILL = 2500;
const LEAST_SHOWN = 60000;

/** A chart in an element. `seen` are pairs of milliseconds and how many events were over by then. */
export async function throughput(element, seen) {
  const Bokeh = await loadBokeh();
  const shift = -new Date().getTimezoneOffset() * 60000; // Bokeh's axes show UTC
  const source = new Bokeh.ColumnDataSource({ data: { time: [], rate: [] } });
  const figure = Bokeh.Plotting.figure({
    height: 240, sizing_mode: "stretch_width", x_axis_type: "datetime", toolbar_location: null, tools: "",
    min_border: 0, x_range: new Bokeh.Range1d({ start: 0, end: 1 }), y_range: new Bokeh.Range1d({ start: 0, end: 1 }),
  });
  figure.xgrid.visible = false;
  figure.yaxis.axis_label = "events per second";
  const area = figure.varea({ x: { field: "time" }, y1: 0, y2: { field: "rate" }, source, fill_alpha: 0.16 });
  const line = figure.line({ x: { field: "time" }, y: { field: "rate" }, source, line_width: 2 });
  const hover = new Bokeh.HoverTool({
    mode: "vline", renderers: [line], tooltips: [["at", "@time{%H:%M:%S}"], ["per second", "@rate{0.[00]}"]],
    formatters: { "@time": "datetime" },
  });
  figure.add_tools(hover);
  dress(figure, ({ accent }) => {
    area.glyph.setv({ fill_color: accent });
    line.glyph.setv({ line_color: accent });
  });
  const recent = [];
  const add = (time, total) => {
    if (recent.length && time - recent.at(-1)[0] < 500) recent.pop();
    recent.push([time, total]);
    while (recent.length > 2 && recent[1][0] <= time - SPAN) recent.shift();
    if (recent.length < 2) return null;
    const [began, before] = recent[0];
    return { time: [time + shift], rate: [Math.max(0, (1000 * (total - before)) / (time - began))] };
  };
  const all = { time: [], rate: [] };
  for (const [time, total] of seen) {
    const point = add(time, total);
    if (point) { all.time.push(...point.time); all.rate.push(...point.rate); }
  }
  source.data = all;
  const fit = () => {
    const { time, rate } = source.data;
    const end = Date.now() + shift;
    figure.x_range.setv({ start: Math.min(time[0] ?? end, end - LEAST_SHOWN), end });
    figure.y_range.end = 1.15 * rate.reduce((most, one) => Math.max(most, one), 1);
  };
  fit();
  await Bokeh.Plotting.show(figure, element);
  let last = seen.at(-1)?.[1] ?? null;
  let isOver = false;
  const put = (total) => {
    last = total;
    const point = add(Date.now(), total);
    if (point) source.stream(point, KEPT);
    fit();
  };
  setInterval(() => {
    const isStill = recent.length === 0 || Date.now() - recent.at(-1)[0] >= STILL;
    if (!isOver && last !== null && isStill && !document.hidden) put(last);
  }, STILL);
  return { put, end(over) { isOver = over; }, get isEmpty() { return source.data.time.length === 0; } };
}
