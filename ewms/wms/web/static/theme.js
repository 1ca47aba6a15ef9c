// Light or dark: as the system has it, until somebody switches. Runs before anything is shown.
"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("theme");
  const isDark = () => (chosen() ?? (dark.matches ? "dark" : "light")) === "dark";
  const show = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    document.dispatchEvent(new CustomEvent("theme"));
  };
  show();
  dark.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme")?.addEventListener("click", () => {
      localStorage.setItem("theme", isDark() ? "light" : "dark");
      show();
    });
    // A reader who came by a link of elsewhere was sent to the same page once more; the mark of that is for nobody.
    const address = new URL(location.href);
    if (address.searchParams.has("_")) {
      address.searchParams.delete("_");
      history.replaceState(null, "", address);
    }
    for (const time of document.querySelectorAll("time[datetime]")) localTime(time);
  });
  globalThis.localTime = (time) => {
    const when = new Date(time.dateTime);
    const pad = (part) => String(part).padStart(2, "0");
    const day = `${when.getFullYear()}-${pad(when.getMonth() + 1)}-${pad(when.getDate())}`;
    time.title = time.dateTime;
    time.textContent = `${day} ${pad(when.getHours())}:${pad(when.getMinutes())}:${pad(when.getSeconds())}`;
  };
})();
