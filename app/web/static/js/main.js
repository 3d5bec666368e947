// Starts what a page needs, again after each piece that htmx puts in.

const charts = () => import("./charts.js");
const live = () => import("./live.js");
const map = () => import("./map.js");

function start(root) {
  if (root.querySelector("[data-chart]")) {
    charts().then((module) => module.draw(root));
  }
  if (document.querySelector("[data-map]")) {
    map().then((module) => module.draw());
  }
}

// A page that no longer hears from the server says so.
function tellWhetherLost(isLost) {
  document.getElementById("lost")?.toggleAttribute("hidden", !isLost);
}

document.addEventListener("htmx:load", (event) => start(event.detail.elt));
document.addEventListener("htmx:afterOnLoad", () => tellWhetherLost(false));
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, () => tellWhetherLost(true));
}
if (document.querySelector("[data-live]")) {
  live().then((module) => module.listen(document.querySelector("[data-live]")));
}
if (!globalThis.htmx) {
  start(document.body);
}
