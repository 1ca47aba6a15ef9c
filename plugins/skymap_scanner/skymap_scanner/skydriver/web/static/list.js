// The list of scans: the page that is shown is kept up to date.

import { refresh } from "/ui/static/live.js";

const listing = document.getElementById("listing");
const SECONDS = 5;

setInterval(() => {
  if (document.visibilityState === "visible") refresh(listing, `/skydriver/scans/rows?${listing.dataset.search}`);
}, SECONDS * 1000);
