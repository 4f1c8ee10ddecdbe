// Any cell opens at a click; the window slides, steps and plays in place.
import { points } from "./points.js";
import { stepped } from "./steps.js";

const events = () => points((longitude, latitude) => openAt(document.querySelector("[data-hot]"), longitude, latitude));
const shown = () => { events(); sections(); };
stepped("[data-spots]", { every: 1200, shown });
events();

// The tabs above the page lead where its own links do, also after a step in place.
function sections() {
  for (const link of document.querySelectorAll("[data-section]"))
    for (const tab of document.querySelectorAll(".nav a")) if (tab.pathname === link.pathname) tab.href = link.href;
}

document.addEventListener("click", e => {
  const svg = e.target.closest("[data-hot] .drawn svg");
  if (svg && !e.defaultPrevented && !e.target.closest("a")) open(svg, e);
});

function open(svg, e) {
  const figure = svg.closest("[data-hot]"), [west, north, wide, high] = figure.dataset.frame.split(" ").map(Number);
  const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
  openAt(figure, west + at.x / wide, north - at.y / high);
}

function openAt(figure, longitude, latitude) {
  location.href = `${figure.dataset.spot}${longitude.toFixed(5)},${latitude.toFixed(5)}#cell`;
}
