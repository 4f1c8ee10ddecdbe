// Any cell opens at a click; the window slides, steps and plays in place.
import { stepped } from "./steps.js";

stepped("[data-spots]", { every: 1200 });

document.addEventListener("click", e => {
  const svg = e.target.closest("[data-hot] .drawn svg");
  if (svg && !e.defaultPrevented && !e.target.closest("a")) open(svg, e);
});

function open(svg, e) {
  const figure = svg.closest("[data-hot]"), [west, north, wide, high] = figure.dataset.frame.split(" ").map(Number);
  const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
  location.href = `${figure.dataset.spot}${(west + at.x / wide).toFixed(5)},${(north - at.y / high).toFixed(5)}#cell`;
}
