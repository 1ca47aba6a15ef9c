// The system page: excluding sites, and tokens, which are shown once.
import { call, renew } from "./live.js";

const exclusion = document.getElementById("exclusion");
exclusion?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { cluster, site, hours, reason } = exclusion.elements;
  const url = `/api/sites/${encodeURIComponent(cluster.value)}/${encodeURIComponent(site.value)}/exclusion`;
  const body = { seconds: 3600 * Number(hours.value), reason: reason.value };
  if ((await call("POST", url, body, event.submitter)) === undefined) return;
  exclusion.closest("dialog").close();
  exclusion.reset();
  renew("sites");
});

document.addEventListener("done", (event) => {
  if (event.target.id === "make-token") {
    const shown = document.getElementById("made-token");
    const place = document.getElementById("token-itself");
    place.textContent = event.detail.token;
    shown.showModal();
    shown.addEventListener("close", () => { place.textContent = ""; }, { once: true });
    event.target.reset();
  }
  renew("sites", "tokens");
});

document.getElementById("copy-token")?.addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(document.getElementById("token-itself").textContent);
  event.target.textContent = "Copied";
});
