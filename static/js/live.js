// Keeps an open page current: the stream says that something changed, the page asks for itself and swaps what differs.
// Without it, a reload does the same.
import { reorder, swap } from "./swap.js";

const box = document.querySelector("[data-live]");
const words = box.dataset, state = box.querySelector("[data-live-state]"), said = box.querySelector("[data-live-said]");
const LEAST_GAP = 350, LONGEST_GAP = 10000, SHARE = 4; // ms between two questions; longer where answers take longer
const LONGEST_PAUSE = 30000, HIDDEN_FOR = 60000, SAID_EVERY = 8000, MARKED_FOR = 4500;
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: words.zone });

let source = null, ticket = words.ticket, etag = words.etag, at = new Date(box.querySelector("time").dateTime);
let isOn = false, isBusy = false, isDue = false, isOver = false, timer = 0, comeBack = 0, pause = 1000, ended = 0, cost = 0, hideTimer = 0;

// What the frame says

function show() {
  if (isOver) return;
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
  const ago = seconds < 3 ? "" : seconds < 120 ? words.ago.replace("{n}", seconds) : words.minutes.replace("{n}", Math.floor(seconds / 60));
  const text = `${isOn ? words.on : words.off} ${clock.format(at)}${ago ? ` (${ago})` : ""}`;
  if (state.textContent !== text) state.textContent = text;
  box.dataset.is = isOn ? "on" : "off";
}
setInterval(show, 5000);
if (words.every) setInterval(() => look(), 1000 * words.every); // what is shown depends on the hour

function over() { // signed out, or no longer allowed to see it
  isOver = true;
  source?.close();
  state.textContent = words.ended;
  box.dataset.is = "over";
}

// The stream

function open() {
  if (source || isOver) return;
  source = new EventSource(`${words.live}?ticket=${encodeURIComponent(ticket)}`);
  source.addEventListener("hello", event => {
    const wasOff = !isOn;
    isOn = true;
    pause = 1000;
    show();
    if (JSON.parse(event.data).stale) look(wasOff ? Math.random() * 500 : 0);
  });
  source.addEventListener("cards", event => { lights(JSON.parse(event.data)); look(); });
  source.addEventListener("incidents", () => look());
  source.addEventListener("resync", () => look(Math.random() * 2000)); // not all pages at once
  source.onerror = () => {
    isOn = false;
    show();
    if (source?.readyState === EventSource.CLOSED) { close(); again(true); }
  };
}
function close() {
  source?.close();
  source = null;
}

// The browser gives up where the answer was no stream: a proxy without its server, or a ticket that is too old.
function again(wantsTicket) {
  if (comeBack || isOver) return;
  comeBack = setTimeout(async () => {
    comeBack = 0;
    if (document.hidden) return;
    if (await fetchPieces(wantsTicket)) open(); else again(wantsTicket);
  }, pause * (.5 + Math.random()));
  pause = Math.min(LONGEST_PAUSE, pause * 2);
}

// The page's own light moves with the event itself; what explains it follows.
function lights(data) {
  for (const card of data.cards ?? []) {
    const place = document.querySelector(`[data-live-card="${card.unit}"]`), light = place?.querySelector(".light");
    const fresh = box.querySelector("[data-live-lights]")?.content.querySelector(`[data-band="${CSS.escape(card.light)}"] > .light`);
    if (!light || !fresh) continue;
    if (light.outerHTML !== fresh.outerHTML) { const made = document.importNode(fresh, true); light.replaceWith(made); flash([made]); }
    const figure = place.querySelector(".fig > b:not(.none)");
    if (figure && card.score !== null) {
      const text = new Intl.NumberFormat(document.documentElement.lang.startsWith("es") ? "es-EC" : "en", { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(card.score);
      if (figure.textContent !== text) { figure.textContent = text; flash([figure.closest(".fig")]); }
    }
  }
}

// Asking: one question at a time, some time apart; what comes meanwhile is asked about afterwards.

function look(wait = 0) {
  isDue = true;
  if (isBusy || timer || document.hidden || isOver) return;
  const gap = Math.min(LONGEST_GAP, Math.max(LEAST_GAP, SHARE * cost));
  timer = setTimeout(ask, Math.max(wait, ended + gap - performance.now()));
}
async function ask() {
  timer = 0;
  if (document.hidden) return;
  isDue = false;
  if (!await fetchPieces(false)) { isDue = true; again(false); return; }
  if (isDue) look();
}

async function fetchPieces(isWhole) {
  const begun = performance.now(), headers = { "X-Tablero-Live": "pieces" };
  if (etag && !isWhole) headers["If-None-Match"] = etag;
  isBusy = true;
  try {
    const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(30000) });
    if (answer.status === 304) { moved(); return true; }
    if (answer.redirected || [401, 403, 404].includes(answer.status)) { over(); return true; }
    if (!answer.ok) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html"), pieces = fresh.querySelector("[data-pieces]");
    if (!pieces) { over(); return true; }
    pieces.removeAttribute("data-pieces");
    ticket = answer.headers.get("X-Tablero-Ticket");
    etag = answer.headers.get("ETag");
    put(pieces);
    moved();
    return true;
  } catch {
    isOn = source?.readyState === EventSource.OPEN && navigator.onLine;
    return false;
  } finally {
    ended = performance.now();
    cost = .5 * cost + .5 * (ended - begun);
    isBusy = false;
    show();
  }
}
function moved() { at = new Date(); }

// Swapping

function put(fresh) {
  const main = document.getElementById("main"), changed = swap(main, fresh);
  if (!changed.size) return;
  document.dispatchEvent(new CustomEvent("datachange"));
  flash(changed);
  tell(changed);
  for (const body of main.querySelectorAll("tbody")) offerOrder(body);
}
function flash(changed) {
  for (const one of changed) {
    one.classList.add("is-changed");
    clearTimeout(one.changedUntil);
    one.changedUntil = setTimeout(() => one.classList.remove("is-changed"), MARKED_FOR);
  }
}

// For those who listen: the names of the rows that changed, not oftener than one can hear them.
const names = new Set();
let tellTimer = 0;
function tell(changed) {
  for (const one of changed) {
    const name = one.closest("tr")?.querySelector("th a, th")?.textContent.trim();
    if (name) names.add(name);
  }
  if (!names.size || tellTimer) return;
  const some = [...names].slice(0, 3).join(", "), more = names.size - 3;
  said.textContent = words.changed.replace("{names}", more > 0 ? words.more.replace("{names}", some).replace("{n}", more) : some);
  names.clear();
  tellTimer = setTimeout(() => { tellTimer = 0; if (names.size) tell([]); }, SAID_EVERY);
}

// Rows stay where they are read; sorting them again is the reader's choice.
function offerOrder(body) {
  const tools = body.closest(".tbl")?.querySelector(".tools"), old = tools?.querySelector("[data-swap-own]");
  if (!body.freshOrder) { old?.remove(); return; }
  if (!tools || old) return;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "link", textContent: words.order });
  button.dataset.swapOwn = "";
  button.addEventListener("click", () => { reorder(body); button.remove(); });
  tools.prepend(button);
}

// A page that nobody looks at asks nothing, and after a minute listens no more; seen again, it catches up.
document.addEventListener("visibilitychange", () => {
  clearTimeout(hideTimer);
  if (document.hidden) { hideTimer = setTimeout(() => { close(); isDue = true; }, HIDDEN_FOR); return; }
  if (isDue || !source) look();
  open();
});
addEventListener("pagehide", close);
addEventListener("pageshow", event => { if (event.persisted) { look(); open(); } });
addEventListener("online", () => { if (!source) again(false); });
if (!document.hidden) open();
