// What a summary of a workflow comes to, in figures.
import { duration, number, perSecond } from "./live.js";

export const OVER = new Set(["complete", "cancelled", "failed"]);

/** Counts over all tasks, events per second, and seconds left at that rate. */
export function figures(workflow) {
  let planned = 0, terminal = 0, rate = 0, left = 0, isKnown = false;
  const rates = workflow.rates ?? {};
  for (const [name, task] of Object.entries(workflow.tasks ?? {})) {
    planned += task.planned;
    terminal += task.terminal;
    if (name in rates) {
      isKnown = true;
      rate += rates[name];
    }
    if (rates[name] > 0) left = Math.max(left, (task.planned - task.terminal) / rates[name]);
  }
  if (rate > 0) left = Math.max(left, (planned - terminal) / rate); // a task may wait for others
  const runs = !OVER.has(workflow.state);
  return { planned, terminal, rate: runs && isKnown ? rate : null, left: runs && isKnown && left > 0 ? left : null };
}

const set = (root, name, text) => {
  for (const element of root.querySelectorAll(`[data-live="${name}"]`)) {
    if (element.textContent !== text) element.textContent = text;
  }
};

/** Show a summary wherever an element below `root` is marked for a part of it. */
export function show(root, workflow) {
  const { planned, terminal, rate, left } = figures(workflow);
  for (const element of root.querySelectorAll('[data-live="state"]')) {
    element.className = `state ${workflow.state}`;
    element.textContent = workflow.state;
  }
  for (const bar of root.querySelectorAll('[data-live="bar"]')) {
    bar.max = Math.max(planned, 1);
    bar.value = terminal;
  }
  set(root, "planned", number(planned));
  set(root, "terminal", number(terminal));
  set(root, "rate", perSecond(rate));
  set(root, "left", duration(left));
  const dead = workflow.counts?.dead_lettered ?? 0;
  for (const element of root.querySelectorAll('[data-live="dead"]')) {
    element.hidden = dead === 0;
    element.textContent = ` · ${number(dead)} dead`;
  }
}
