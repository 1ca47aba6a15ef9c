// The form for a new scan: the alert is read here, and posted as programs post it.

import { call, complain } from "/ui/static/live.js";

const LARGEST = 64 * 2 ** 20;
const at = (id) => document.getElementById(id);
let event = null;

function trouble(words) {
  at("file-trouble").hidden = !words;
  at("file-trouble").textContent = words;
  at("drop").classList.toggle("wrong", Boolean(words));
}

/** What a file says of itself, for its reader to see that it is the right one. */
function wordsOf(found, size) {
  const header = found.header ?? found;
  const stream = found.value?.streams ?? found.value?.zmqnotify?.topics ?? header.event_type;
  const words = [];
  if (Number.isInteger(header.run_id)) words.push(`run ${header.run_id}, event ${header.event_id}`);
  if (stream) words.push([stream].flat().join(", "));
  if (typeof found.time === "string") words.push(`${found.time.slice(0, 19)} UTC`);
  return [...words, `${(size / 1000).toFixed(0)} kB`].join(" · ");
}

async function take(file) {
  event = null;
  trouble("");
  at("file-name").textContent = file.name;
  at("file-words").textContent = "";
  if (file.size > LARGEST) return trouble("It is larger than 64 MB, which no alert is.");
  try {
    const found = JSON.parse(await file.text());
    if (found === null || typeof found !== "object" || Array.isArray(found)) throw new SyntaxError("it holds no object");
    event = found;
    complain(at("submit"), "");
    at("file-words").textContent = wordsOf(found, file.size);
    const simulated = found.is_real === false || found.header?.is_real === false || Boolean(found.truth);
    document.querySelector(`[name="kind"][value="${simulated ? "sim" : "real"}"]`).checked = true;
  } catch (error) {
    const pickled = file.name.endsWith(".pkl") || file.name.endsWith(".pickle");
    trouble(pickled ? "A pickle is not taken here; make JSON of it by `skymap-scanner convert`." : `This is no JSON: ${error.message}.`);
  }
  return undefined;
}

/** `8:0, 64:12` as an object; a TypeError says what is wrong. */
function progression(text) {
  const found = {};
  for (const item of text.trim().split(/[,\s]+/)) {
    const match = /^(\d+):(\d+)$/.exec(item);
    if (!match) throw new TypeError(`Resolutions: “${item}” is not of the form nside:pixels, for example 64:12.`);
    found[match[1]] = Number(match[2]);
  }
  return found;
}

function labels(text) {
  const found = {};
  for (const item of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const [name, ...rest] = item.split("=");
    if (!name || !rest.length) throw new TypeError(`Labels: “${item}” is not of the form name=value.`);
    found[name.trim()] = rest.join("=").trim();
  }
  return found;
}

function request() {
  if (!event) throw new TypeError("Give the alert first: drop its file above.");
  for (const id of ["workers", "priority", "seconds"]) {
    if (!at(id).checkValidity()) throw new TypeError(`${document.querySelector(`label[for=${id}]`).firstChild.textContent.trim()}: ${at(id).validationMessage}`);
  }
  return {
    docker_tag: "latest",
    reco_algo: at("reco").value,
    event_i3live_json: event,
    nsides: progression(at("nsides").value),
    real_or_simulated_event: document.querySelector('[name="kind"]:checked').value,
    request_clusters: { [at("cluster").value]: Number(at("workers").value) },
    max_pixel_reco_time: Number(at("seconds").value),
    priority: Number(at("priority").value),
    classifiers: labels(at("classifiers").value),
  };
}

at("file").addEventListener("change", ({ target }) => target.files.length && take(target.files[0]));
for (const kind of ["dragenter", "dragover"]) {
  at("drop").addEventListener(kind, (drag) => {
    drag.preventDefault();
    at("drop").classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) at("drop").addEventListener(kind, () => at("drop").classList.remove("over"));
at("drop").addEventListener("drop", (drag) => {
  drag.preventDefault();
  if (drag.dataTransfer.files.length) take(drag.dataTransfer.files[0]);
});
at("new-scan").addEventListener("submit", async (sent) => {
  sent.preventDefault();
  const button = at("submit");
  try {
    const answer = await call("POST", "/skydriver/scan", request(), button);
    if (answer) location.assign(`/skydriver/scans/${answer.scan_id}`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    complain(button, error.message);
  }
});
