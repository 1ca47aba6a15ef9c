// The pages of one workflow: figures change as they happen, lists when there is reason to read them again.
import { duration, follow, number, perSecond, refresh, renew } from "./live.js";
import { OVER, figures, show } from "./workflow_state.js";
import { throughput } from "./throughput.js";

const LISTS_APART = 10000;
const PILOTS_APART = 30000;
const root = document.getElementById("workflow");
const id = root.dataset.workflow;
const plot = document.getElementById("throughput");
const pilots = document.getElementById("pilots");
const part = document.getElementById("part");
const base = `/ui/workflows/${id}`;
let latest = null;
let chart = null;

function write(selector, text) {
  for (const element of root.querySelectorAll(selector)) if (element.textContent !== text) element.textContent = text;
}

function showTasks(workflow) {
  const names = new Map(Object.entries(workflow.tasks));
  for (const row of root.querySelectorAll("tr[data-task]")) {
    const task = names.get(row.dataset.task);
    if (!task) continue;
    const rate = OVER.has(workflow.state) ? null : workflow.rates?.[row.dataset.task];
    const texts = { done: number(task.terminal), waiting: number(task.planned - task.terminal), rate: perSecond(rate),
      seconds: duration(task.seconds) };
    for (const [name, text] of Object.entries(texts)) row.querySelector(`[data-part="${name}"]`).textContent = text;
  }
  for (const element of root.querySelectorAll("[data-waiting], [data-done]")) {
    const task = names.get(element.dataset.waiting ?? element.dataset.done);
    if (!task) continue;
    element.textContent = "waiting" in element.dataset
      ? `${number(task.planned - task.terminal)} waiting` : `${number(task.terminal)} of ${number(task.planned)}`;
  }
}

function showWords(workflow) {
  const reason = document.getElementById("reason");
  reason.hidden = !workflow.reason;
  reason.textContent = workflow.reason;
  reason.className = workflow.state === "failed" ? "trouble" : "warning";
  const note = document.getElementById("note");
  note.hidden = !workflow.note;
  note.textContent = workflow.note ?? "";
}

// What lists depend on: they are read again when it has changed, but not all the time.
const marks = {
  failures: (workflow) => `${workflow.counts.retried} ${workflow.counts.vanished} ${workflow.counts.dead_lettered}`,
  letters: (workflow) => `${workflow.counts.dead_lettered}`,
  files: (workflow) => `${workflow.product} ${workflow.partial_number}`,
};
const kind = location.pathname.split("/").at(-1);
let waiting = 0, readAt = Date.now();

function readLists() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { readAt = Date.now(); renew("part"); }, Math.max(300, readAt + LISTS_APART - Date.now()));
}

function take(workflow) {
  const before = latest, rendered = root.dataset.state;
  latest = workflow;
  show(root, workflow);
  for (const element of root.querySelectorAll("[data-count]")) {
    if (element.dataset.live) continue;
    const count = workflow.counts[element.dataset.count] ?? 0;
    element.textContent = number(count);
    if (element.dataset.count === "dead_lettered") element.classList.toggle("bad-ink", count > 0);
  }
  write('[data-live="letters"]', number(workflow.counts.dead_lettered ?? 0));
  showTasks(workflow);
  showWords(workflow);
  if (chart) {
    const isOver = OVER.has(workflow.state);
    if (!isOver || before) chart.put(figures(workflow).terminal);
    chart.end(isOver);
    plot.hidden = isOver && chart.isEmpty;
    document.getElementById("no-throughput").hidden = !plot.hidden;
  }
  if (root.dataset.state !== workflow.state || root.dataset.wish !== workflow.wish) {
    root.dataset.state = workflow.state;
    root.dataset.wish = workflow.wish;
    renew("actions");
    if (pilots) refresh(pilots, `${base}/pilots`);
  }
  const mark = marks[kind];
  // Between the page and the first message something may have come that the page does not show.
  const isNew = before ? mark?.(before) !== mark?.(workflow) : !(OVER.has(rendered) && rendered === workflow.state);
  if (part && mark && isNew) readLists();
}

if (root.dataset.stream) follow(root.dataset.stream, { workflow: take }); // who may not listen sees the page as it was

if (plot) {
  const now = Date.now();
  const seen = JSON.parse(document.getElementById("history").textContent).map(([ago, count]) => [now - 1000 * ago, count]);
  throughput(plot, seen).then((made) => {
    chart = made;
    if (latest) take(latest);
  }, (error) => { plot.textContent = error.message; });
}

if (pilots) {
  setInterval(() => {
    if (!document.hidden && latest && !OVER.has(latest.state)) refresh(pilots, `${base}/pilots`);
  }, PILOTS_APART * (0.8 + 0.4 * Math.random()));
}

document.addEventListener("done", () => {
  readAt = 0;
  setTimeout(() => renew("actions", "part"), 500);
});
