// A page that is stepped through time in place: steps, slider, Play, comma and full stop. Without it the same are links and a form.
// `preview(n)` may draw a step at once, from figures that the page already holds; the page itself follows when the stepping ends.
import { swap } from "./swap.js";

const isStill = matchMedia("(prefers-reduced-motion: reduce)");

export function stepped(selector, { every, preview = null, shown = () => {} }) {
  let playing = 0, asked = 0;
  const region = () => document.querySelector(selector), steps = () => document.querySelector("[data-steps]");
  const slider = () => document.querySelector(".slide input");
  // The address of the nth step of the strip.
  const address = n => document.querySelectorAll(".strip a")[n]?.getAttribute("href");

  // Shows another address of this page in place; the latest question wins.
  async function show(href, { push = true } = {}) {
    const mine = ++asked, answer = await fetch(href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (mine !== asked) return false;
    if (!answer?.ok) { location.href = href; return false; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return false;
    const held = document.activeElement?.closest?.("[data-step]")?.dataset.step;
    swap(region(), document.adoptNode(fresh.querySelector(selector)));
    document.title = fresh.title;
    history[push ? "pushState" : "replaceState"](null, "", href);
    start();
    shown();
    if (held && document.activeElement === document.body) document.querySelector(`[data-step="${held}"]`)?.focus();
    return true;
  }

  function start() {
    const slide = document.querySelector(".slide");
    if (!slide) return stop();
    slide.hidden = false;
    const current = [...document.querySelectorAll(".strip a")].findLastIndex(a => a.classList.contains("shown"));
    if (current >= 0) slider().value = slide.dataset.at ?? current;
    slide.querySelector("[data-play-button]").textContent = playing ? steps().dataset.playing : steps().dataset.play;
  }

  const pause = () => new Promise(done => { playing = setTimeout(done, every); });
  async function play() {
    const last = Number(slider().max), begun = slider();
    if (Number(begun.value) >= last) begun.value = 0;
    let n = Number(begun.value);
    while (playing && n < last) {
      n += 1;
      if (preview) { slider().value = n; await preview(n); } else if (!(await show(address(n), { push: false }))) break;
      if (isStill.matches) break; // one step a press where movement is unwelcome
      await pause();
    }
    const hasEnded = Boolean(playing);
    stop();
    if (preview && hasEnded) show(address(n), { push: false });
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
    if (!e.target.closest("[data-play-button]")) return;
    if (playing) { stop(); if (preview) show(address(Number(slider().value))); return; }
    playing = 1; start();
    play();
  });
  document.addEventListener("input", e => { if (preview && e.target.matches(".slide input")) { stop(); preview(Number(e.target.value)); } });
  document.addEventListener("change", e => { if (e.target.matches(".slide input")) { stop(); show(address(Number(e.target.value))); } });
  addEventListener("keydown", e => { // comma and full stop step a month, as players of video have it
    if (e.target.closest?.("input, select, textarea") || e.ctrlKey || e.metaKey || e.altKey) return;
    const step = { ",": "-1", ".": "1" }[e.key], link = step && document.querySelector(`[data-step="${step}"]`);
    if (link) { e.preventDefault(); stop(); show(link.getAttribute("href")); }
  });
  addEventListener("popstate", () => location.reload());
  start();
}
