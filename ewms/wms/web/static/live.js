// What pages share: following the service's events, and asking it to do things.

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15000;
const HIDDEN_PAUSE = 5000;
const NARROW_SPACE = "\u202f";

/** A count in full, with its thousands apart. */
export function number(value) {
  return value === null || value === undefined ? "–" : String(value).replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE);
}

/** A span of time, as the service writes it. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds > 0 && seconds < 0.001) return `${Number((1e6 * seconds).toPrecision(2))} µs`;
  if (seconds > 0 && seconds < 1) return `${Number((1e3 * seconds).toPrecision(3))} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(seconds < 10 ? 2 : 3))} s`;
  for (const [span, unit, part, small] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (seconds >= span) return `${Math.floor(seconds / span)} ${unit} ${Math.floor((seconds % span) / part)} ${small}`;
  }
  return "–";
}

/** Events per second, to three digits. */
export function perSecond(rate) {
  if (rate === null || rate === undefined) return "–";
  return `${rate >= 100 ? number(Math.round(rate)) : Number(rate.toPrecision(3))}/s`;
}

/** A template literal whose values are escaped: for what is put into a page as HTML. */
export function html(parts, ...values) {
  const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return parts.reduce((text, part, index) => text + escape(values[index - 1]) + part);
}

function tellConnection(state) {
  const line = document.getElementById("connection");
  if (!line) return;
  const words = { live: "Live", lost: "Connection lost; trying again…", regained: "Connected again", ended: "Ended" };
  line.hidden = false;
  line.dataset.state = state;
  line.textContent = words[state];
  if (state === "regained") setTimeout(() => line.dataset.state === "regained" && tellConnection("live"), 4000);
}

/**
 * Follow a stream of server-sent events for as long as the page is open.
 *
 * The connection's state is shown in the page's status line. A lost one is tried again, sooner at first; `onstate` is told
 * "live", "lost" and "regained". Returns a function that ends it.
 */
export function follow(url, handlers, onstate = () => {}) {
  let source = null;
  let pause = FIRST_PAUSE;
  let wasLost = false;
  let timer = 0;
  const tell = (state) => { tellConnection(state); onstate(state); };
  const open = () => {
    if (document.hidden) return;
    source = new EventSource(url);
    source.onopen = () => {
      tell(wasLost ? "regained" : "live");
      wasLost = false;
      pause = FIRST_PAUSE;
    };
    source.onerror = () => {
      if (!wasLost) tell("lost");
      wasLost = true;
      source.close();
      timer = setTimeout(open, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    };
    for (const [kind, handle] of Object.entries(handlers)) {
      source.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
    }
  };
  const close = () => { clearTimeout(timer); source?.close(); source = null; };
  // A browser keeps six connections to a service at most: a page that nobody looks at leaves its own to others.
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(close, HIDDEN_PAUSE);
    else if (source === null || source.readyState === EventSource.CLOSED) open();
  };
  open();
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && look());
  return () => { document.removeEventListener("visibilitychange", look); close(); };
}

/** What an error of the service says. */
async function wordsOf(response) {
  try {
    return (await response.json()).error ?? response.statusText;
  } catch {
    return `the service answers ${response.status}`;
  }
}

/** Ask the service; gives what it answers, or throws an Error with its words. */
export async function ask(method, url, body) {
  const request = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    request.body = body instanceof Blob ? body : JSON.stringify(body);
    request.headers["Content-Type"] = body instanceof Blob ? "application/octet-stream" : "application/json";
  }
  let response;
  try {
    response = await fetch(url, request);
  } catch {
    throw new Error("the service does not answer; try again in a moment");
  }
  if (!response.ok) throw new Error(await wordsOf(response));
  return response.status === 204 ? null : response.json();
}

/** Show words beside a control, or take them away. */
export function complain(control, words) {
  const place = control.closest("form, dialog, .actions, td, section") ?? control.parentElement;
  let line = place.querySelector(":scope > .trouble[data-complaint]");
  if (!words) {
    line?.remove();
    return;
  }
  if (!line) {
    line = document.createElement("p");
    line.className = "trouble";
    line.dataset.complaint = "";
    line.setAttribute("role", "alert");
    place.append(line);
  }
  line.textContent = words;
}

/**
 * As `ask`, with the control that caused it: it cannot be used meanwhile, and what the service complains of stands beside it.
 *
 * Gives undefined where it complained.
 */
export async function call(method, url, body, control = document.activeElement) {
  complain(control, "");
  control.setAttribute?.("aria-busy", "true");
  control.disabled = true;
  try {
    return await ask(method, url, body);
  } catch (error) {
    complain(control, error.message);
    return undefined;
  } finally {
    control.removeAttribute?.("aria-busy");
    control.disabled = false;
  }
}

/** Put a part of a page, as the service renders it, in place of its former self; what is unfolded stays so. */
export async function refresh(element, url) {
  let response;
  try {
    response = await fetch(url, { headers: { Accept: "text/html" } });
  } catch {
    return false; // the status line tells of it
  }
  if (!response.ok || response.redirected) return false;
  const text = await response.text();
  if (element.dataset.last === text) return true;
  const holder = document.createElement("template");
  holder.innerHTML = text;
  swap(element, [...holder.content.childNodes]);
  element.dataset.last = text;
  return true;
}

/** Fetch this page again, and put the elements with these ids in place of their former selves. */
export async function renew(...ids) {
  let response;
  try {
    response = await fetch(location.href, { headers: { Accept: "text/html" } });
  } catch {
    return; // the status line tells of it
  }
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) {
    const old = document.getElementById(id);
    const now = fresh.getElementById(id);
    if (!old || !now || old.dataset.last === now.innerHTML) continue;
    const last = now.innerHTML;
    swap(old, [...document.importNode(now, true).childNodes]);
    old.dataset.last = last;
  }
}

/** Put nodes into an element; what is unfolded stays so, and what has the focus keeps it. */
function swap(element, nodes) {
  const open = new Set([...element.querySelectorAll("details[open][id]")].map((details) => details.id));
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.replaceChildren(...nodes);
  for (const details of element.querySelectorAll("details[id]")) details.open ||= open.has(details.id);
  for (const time of element.querySelectorAll("time[datetime]")) localTime(time);
  if (focused) document.getElementById(focused)?.focus();
}

// A button or form with `data-method` and `data-url` does what it says: `data-body` is sent, `data-confirm` is asked before;
// the fields of a form are sent by their names, numbers as such, empty ones as null, unless they have `data-optional`.
function bodyOf(control) {
  if (control instanceof HTMLFormElement) {
    const body = {};
    for (const field of control.elements) {
      if (!field.name || (field.type === "radio" && !field.checked)) continue;
      const value = field.value.trim();
      if (value === "" && "optional" in field.dataset) continue;
      const amount = value === "" ? null : Number(value) * Number(field.dataset.times ?? 1);
      body[field.name] = field.type === "number" || "number" in field.dataset ? amount : value;
    }
    return body;
  }
  return control.dataset.body === undefined ? undefined : JSON.parse(control.dataset.body);
}

async function act(control, button) {
  if (control.dataset.confirm && !(await confirmed(control.dataset.confirm, button.textContent.trim()))) return;
  const answer = await call(control.dataset.method, control.dataset.url, bodyOf(control), button);
  if (answer === undefined) return;
  control.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: answer }));
  control.closest("dialog")?.close();
}

/** Ask whether it is meant, in a dialog of the browser's own kind. */
export function confirmed(question, yes) {
  const dialog = document.createElement("dialog");
  dialog.className = "confirm";
  dialog.innerHTML = html`<form method="dialog"><p>${question}</p><menu><button value="">Leave it</button>
    <button class="primary danger" value="yes">${yes}</button></menu></form>`;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (!button) return;
  if (button.dataset.opens) document.getElementById(button.dataset.opens)?.showModal();
  else if (button.dataset.closes !== undefined) button.closest("dialog")?.close();
  else if (button.dataset.method) act(button, button);
});

document.addEventListener("submit", (event) => {
  if (!event.target.dataset?.method || !event.target.dataset.url) return;
  event.preventDefault();
  act(event.target, event.submitter ?? event.target.querySelector("button"));
});
