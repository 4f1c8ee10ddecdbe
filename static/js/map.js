// Tips, arrow keys, wheel, pinch and pan for components/map.html. Without it the map is a picture of links.
const LARGEST = 40;

function start(figure) {
  if (figure.dataset.started) return;
  figure.dataset.started = "yes";
  const svg = figure.querySelector(".drawn svg"), box = figure.querySelector(".drawn"), tip = figure.querySelector(".tip");
  const areas = [...svg.querySelectorAll("[data-code]")], whole = svg.viewBox.baseVal, patterns = [...svg.querySelectorAll("pattern:not([data-own])")];
  const home = { x: whole.x, y: whole.y, w: whole.width, h: whole.height };
  let view = { ...home };

  function show(isOwn = true) {
    const k = view.w / home.w, drawn = home.w / (svg.clientWidth || home.w);
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    for (const p of patterns) p.setAttribute("patternTransform", `scale(${(k * drawn).toFixed(4)})`);
    svg.classList.toggle("zoomed", k < .999);
    if (isOwn && figure.dataset.together) for (const other of document.querySelectorAll(`[data-together="${figure.dataset.together}"]`)) {
      if (other !== figure) other.dispatchEvent(new CustomEvent("mapview", { detail: { ...view, follows: true } }));
    }
  }
  // Another part of the country, asked for by a map that moves together with this one or by the page.
  figure.addEventListener("mapview", e => {
    const { x, y, w, follows } = e.detail;
    view = { x, y, w, h: home.h * w / home.w };
    if (follows) show(false); else keepInside();
  });
  function zoom(factor, cx = view.x + view.w / 2, cy = view.y + view.h / 2) {
    const w = Math.min(home.w, Math.max(home.w / LARGEST, view.w * factor)), f = w / view.w;
    view = { x: cx - (cx - view.x) * f, y: cy - (cy - view.y) * f, w, h: view.h * f };
    keepInside();
  }
  function keepInside() {
    view.x = Math.min(Math.max(view.x, home.x), home.x + home.w - view.w);
    view.y = Math.min(Math.max(view.y, home.y), home.y + home.h - view.h);
    show();
  }
  const at = (x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());

  // Tips
  function tell(area) {
    tip.textContent = area.getAttribute("aria-label");
    tip.hidden = false;
    const a = area.getBoundingClientRect(), b = box.getBoundingClientRect();
    const left = Math.min(Math.max(0, a.left + a.width / 2 - b.left - tip.offsetWidth / 2), b.width - tip.offsetWidth);
    const above = a.top - b.top - tip.offsetHeight - 6;
    tip.style.left = `${left}px`;
    tip.style.top = `${above < 0 ? Math.min(a.bottom - b.top + 6, b.height - tip.offsetHeight) : above}px`;
  }
  const quiet = () => { tip.hidden = true; };
  svg.addEventListener("pointerover", e => { const area = e.target.closest("[data-code]"); area ? tell(area) : quiet(); });
  svg.addEventListener("pointerleave", quiet);
  svg.addEventListener("focusin", e => { const area = e.target.closest("[data-code]"); if (area) { tell(area); raise(area); } });
  svg.addEventListener("focusout", quiet);
  const raise = area => area.parentNode.lastElementChild !== area && area.matches(":focus-visible") && areas.length < 300 && overlay(area);
  let outline;
  function overlay(area) { // the focused outline above its neighbours, without moving the link itself
    outline?.remove();
    outline = area.querySelector("path, circle").cloneNode();
    outline.setAttribute("class", "a focus"); outline.setAttribute("fill", "none");
    outline.style.pointerEvents = "none"; outline.style.stroke = "var(--ink)"; outline.style.strokeWidth = "4";
    svg.append(outline);
    area.addEventListener("blur", () => outline?.remove(), { once: true });
  }

  // One stop for the tab key; arrows go to the nearest neighbour that way.
  const links = areas.filter(a => a.tagName === "a");
  links.forEach((a, i) => a.setAttribute("tabindex", i ? -1 : 0));
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const middle = a => { const b = a.getBBox(); return [b.x + b.width / 2, b.y + b.height / 2]; };
  svg.addEventListener("keydown", e => {
    const area = e.target.closest("a[data-code]"), way = ways[e.key];
    if (e.key === "+" || e.key === "-") { e.preventDefault(); return zoom(e.key === "+" ? .6 : 1 / .6, ...(area ? middle(area) : [])); }
    if (!area || !way) return;
    e.preventDefault();
    const [x, y] = middle(area);
    let best = null, least = Infinity;
    for (const other of links) {
      const [ox, oy] = middle(other), along = (ox - x) * way[0] + (oy - y) * way[1], aside = Math.abs((ox - x) * way[1]) + Math.abs((oy - y) * way[0]);
      if (other !== area && along > .7 * aside && Math.hypot(along, aside) < least) { least = Math.hypot(along, aside); best = other; }
    }
    if (best) { area.setAttribute("tabindex", -1); best.setAttribute("tabindex", 0); best.focus(); }
  });

  // Wheel, buttons, pinch and drag
  svg.addEventListener("wheel", e => {
    if (view.w >= home.w && e.deltaY > 0) return; // let the page scroll on
    e.preventDefault();
    const p = at(e.clientX, e.clientY);
    zoom(e.deltaY < 0 ? .8 : 1.25, p.x, p.y);
  }, { passive: false });
  const bar = figure.querySelector(".zoom");
  bar.hidden = false;
  bar.addEventListener("click", e => {
    const what = e.target.dataset.zoom;
    if (what === "reset") { view = { ...home }; show(); } else if (what) zoom(what === "in" ? .6 : 1 / .6);
  });
  const held = new Map();
  let moved = 0;
  svg.addEventListener("pointerdown", e => { held.set(e.pointerId, e); moved = held.size > 1 ? 9 : 0; });
  svg.addEventListener("pointermove", e => {
    const before = held.get(e.pointerId);
    if (!before) return;
    const others = [...held.values()].filter(o => o.pointerId !== e.pointerId);
    if (others.length === 1) {
      const o = others[0], spread = p => Math.hypot(p.clientX - o.clientX, p.clientY - o.clientY);
      const p = at((e.clientX + o.clientX) / 2, (e.clientY + o.clientY) / 2);
      zoom(spread(before) / Math.max(1, spread(e)), p.x, p.y);
    } else if (view.w < home.w) {
      const a = at(before.clientX, before.clientY), b = at(e.clientX, e.clientY);
      moved += Math.hypot(e.clientX - before.clientX, e.clientY - before.clientY);
      view.x += a.x - b.x; view.y += a.y - b.y;
      keepInside();
    }
    held.set(e.pointerId, e);
  });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, e => held.delete(e.pointerId));
  svg.addEventListener("dragstart", e => e.preventDefault());
  svg.addEventListener("click", e => { if (moved > 6) { e.preventDefault(); moved = 0; } }, true);
  new ResizeObserver(() => show(false)).observe(svg);
}

const startAll = scope => { if (scope.matches?.("[data-map]")) start(scope); scope.querySelectorAll("[data-map]").forEach(start); };
startAll(document);
document.addEventListener("htmx:load", e => startAll(e.target));
