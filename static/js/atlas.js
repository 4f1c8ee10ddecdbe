// The months of a large map in place: one answer holds the figures of all of them, so that sliding and playing ask for nothing.
// Two maps move together, and a place that is sought comes into view.
import { stepped } from "./steps.js";

const isSpanish = document.documentElement.lang.startsWith("es");
let held = null, heldOf = "";

function columns() {
  const at = document.querySelector("[data-months]").dataset.months, about = at.replace(/month=[^&]*&?/, "");
  if (heldOf !== about) { // another month of the same map has the same figures
    heldOf = about;
    held = fetch(at).then(answer => (answer.ok ? answer.json() : null)).catch(() => null);
  }
  return held;
}

async function preview(n) {
  const data = await columns();
  if (!data) return;
  const figure = document.querySelector("[data-map]"), figures = new Intl.NumberFormat(isSpanish ? "es-EC" : "en", { minimumFractionDigits: data.decimals, maximumFractionDigits: data.decimals });
  const place = new Map(data.codes.map((code, i) => [code, i]));
  for (const area of figure.querySelectorAll("[data-code]")) {
    const i = place.get(area.dataset.code);
    if (i === undefined) continue;
    paint(area, figure, data, n, i, figures);
  }
  figure.querySelector("figcaption b").textContent = data.titles[n];
  document.querySelector("[data-steps] .steps b").textContent = data.titles[n];
  figure.querySelectorAll(".legend b").forEach(b => { b.textContent = ""; }); // the page's own counts follow when the stepping ends
}

function paint(area, figure, data, n, i, figures) {
  const look = data.looks[data.look[n][i]], value = data.figures[n][i], shape = area.querySelector("circle") ?? area.querySelector("path");
  shape.setAttribute("class", look.class);
  if (look.band) shape.setAttribute("fill", `url(#${figure.dataset.map}${look.band})`);
  else shape.removeAttribute("fill");
  if (shape.tagName === "circle") shape.setAttribute("r", value > 0 && data.most > 0 ? (data.largest * Math.sqrt(value / data.most)).toFixed(1) : 0);
  const said = value === null ? "" : `${figures.format(value)} ${data.unit}`.trim() + ", ";
  area.setAttribute("aria-label", `${data.names[i]}: ${said}${look.words}`);
}

function seek() {
  const area = document.querySelector("[data-areas] .sought")?.closest("[data-code]"), figure = area?.closest("[data-map]");
  if (!area || figure.dataset.sought === area.dataset.code) return;
  figure.dataset.sought = area.dataset.code;
  const box = area.querySelector("path").getBBox(), svg = figure.querySelector("svg"), whole = svg.viewBox.baseVal;
  const w = Math.min(whole.width * .6, Math.max(box.width * 4, box.height * 4 * whole.width / whole.height, whole.width / 8));
  figure.dispatchEvent(new CustomEvent("mapview", { detail: { x: box.x + box.width / 2 - w / 2, y: box.y + box.height / 2 - w * whole.height / whole.width / 2, w } }));
}

stepped("[data-atlas]", { every: 450, preview, shown: seek });
addEventListener("load", seek);
