// Any cell opens at a click; the window slides, steps and plays in place. Without it the same are links and a form.
import { swap } from "./swap.js";

const EVERY = 1200; // ms a month is shown while it plays
const isStill = matchMedia("(prefers-reduced-motion: reduce)");
let playing = 0, asked = 0;

const region = () => document.querySelector("[data-spots]");
const steps = () => document.querySelector("[data-steps]");

// Shows another address of this page in place; the latest question wins.
async function show(href, { push = true } = {}) {
  const mine = ++asked, answer = await fetch(href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (mine !== asked) return false;
  if (!answer?.ok) { location.href = href; return false; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked) return false;
  const held = document.activeElement?.closest?.("[data-step]")?.dataset.step;
  swap(region(), document.adoptNode(fresh.querySelector("[data-spots]")));
  document.title = fresh.title;
  history[push ? "pushState" : "replaceState"](null, "", href);
  start();
  if (held && document.activeElement === document.body) document.querySelector(`[data-step="${held}"]`)?.focus();
  return true;
}

function start() {
  const slide = document.querySelector(".slide");
  if (!slide) return stop();
  slide.hidden = false;
  const slider = slide.querySelector("input"), current = [...document.querySelectorAll(".strip a")].findLastIndex(a => a.classList.contains("shown"));
  if (current >= 0) slider.value = current;
  slide.querySelector("[data-play-button]").textContent = playing ? steps().dataset.playing : steps().dataset.play;
}

// The address of the window that ends with the nth month of the strip.
const ending = n => document.querySelectorAll(".strip a")[n]?.getAttribute("href");

async function play() {
  const slider = document.querySelector(".slide input"), last = Number(slider.max);
  if (Number(slider.value) >= last) slider.value = 0;
  while (playing) {
    const next = Number(document.querySelector(".slide input").value) + 1;
    if (next > last || !(await show(ending(next), { push: false }))) break;
    if (isStill.matches) break; // one step a press where movement is unwelcome
    await new Promise(done => { playing = setTimeout(done, EVERY); });
  }
  stop();
}
function stop() {
  clearTimeout(playing);
  playing = 0;
  const button = document.querySelector("[data-play-button]");
  if (button) button.textContent = steps().dataset.play;
}

document.addEventListener("click", e => {
  const step = e.target.closest("[data-step], .strip a, .lengths a");
  if (step && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); stop(); return void show(step.getAttribute("href")); }
  if (e.target.closest("[data-play-button]")) {
    if (playing) return stop();
    playing = 1; start();
    return void play();
  }
  const svg = e.target.closest("[data-hot] .drawn svg");
  if (svg && !e.defaultPrevented && !e.target.closest("a")) open(svg, e);
});

function open(svg, e) {
  const figure = svg.closest("[data-hot]"), [west, north, wide, high] = figure.dataset.frame.split(" ").map(Number);
  const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
  location.href = `${figure.dataset.spot}${(west + at.x / wide).toFixed(5)},${(north - at.y / high).toFixed(5)}#cell`;
}

document.addEventListener("change", e => { if (e.target.id === "slider") { stop(); show(ending(Number(e.target.value))); } });
addEventListener("keydown", e => { // comma and full stop step a month, as players of video have it
  if (e.target.closest?.("input, select, textarea") || e.ctrlKey || e.metaKey || e.altKey) return;
  const step = { ",": "-1", ".": "1" }[e.key], link = step && document.querySelector(`[data-step="${step}"]`);
  if (link) { e.preventDefault(); stop(); show(link.getAttribute("href")); }
});
addEventListener("popstate", () => location.reload());
start();
