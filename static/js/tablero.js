// What every page does: theme, menus, keys, sorting, copying, dialogs, messages. Pages work without it.
const root = document.documentElement, said = document.body.dataset;
const system = matchMedia("(prefers-color-scheme: dark)");
const stored = () => document.cookie.match(/(?:^|; )theme=(light|dark)/)?.[1];
export const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

// Theme: the server writes the attribute from the cookie, so nothing flashes; a page kept by the browser catches up here.
function applyTheme(theme) {
  if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
  for (const b of document.querySelectorAll("[data-theme-toggle]")) { b.hidden = false; b.title = isDark() ? said.light : said.dark; }
  document.dispatchEvent(new Event("themechange"));
}
function toggleTheme() {
  const next = isDark() ? "light" : "dark", follows = (next === "dark") === system.matches;
  document.cookie = `theme=${follows ? "" : next};path=/;max-age=${follows ? 0 : 31536000};samesite=lax`;
  applyTheme(follows ? "" : next);
}
applyTheme(stored());
system.addEventListener("change", () => applyTheme(stored()));
addEventListener("pageshow", e => e.persisted && applyTheme(stored()));

// Sorting in place; the link does the same from the server.
const valueOf = (row, i) => {
  const cell = row.cells[i], text = cell.dataset.v ?? cell.textContent.trim(), figure = Number(text);
  return text === "" ? null : Number.isNaN(figure) ? text.toLocaleLowerCase() : figure;
};
function compare(a, b, down) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), root.lang);
  return down ? -order : order;
}
function sort(event, link) {
  const th = link.closest("th"), table = th.closest("table"), body = table.tBodies[0];
  if (event.ctrlKey || event.metaKey || event.shiftKey || table.tBodies.length > 1 || table.dataset.paged !== undefined) return;
  event.preventDefault();
  const down = th.getAttribute("aria-sort") === "ascending", i = th.cellIndex;
  const rows = [...body.rows].map(row => [valueOf(row, i), row]).sort((a, b) => compare(a[0], b[0], down));
  body.append(...rows.map(r => r[1]));
  for (const other of th.parentNode.cells) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  const address = new URL(link.href);
  for (const [name, value] of address.searchParams) if (/sort/.test(name)) {
    const plain = value.replace(/^-/, "");
    address.searchParams.set(name, down ? `-${plain}` : plain);
    history.replaceState(history.state, "", address);
    address.searchParams.set(name, down ? plain : `-${plain}`);
    link.href = address;
  }
}

async function copy(button) {
  const from = document.getElementById(button.dataset.copy);
  const text = "value" in from ? from.value : [...from.rows].map(row => [...row.cells].map(c => c.dataset.v && c.matches(".n") ? c.dataset.v : c.innerText.replace(/\s+/g, " ").trim()).join("\t")).join("\n");
  await navigator.clipboard.writeText(text);
  const label = button.textContent;
  button.textContent = said.copied;
  setTimeout(() => { button.textContent = label; }, 2000);
}

// On a narrow screen the section one is in may lie beyond the edge of its row.
for (const row of document.querySelectorAll(".tabs ul")) {
  const here = row.querySelector("[aria-current]")?.parentNode;
  if (here) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

export function toast(text, level = "") {
  const box = document.createElement("div"), p = document.createElement("p"), close = document.createElement("button");
  box.className = `toast ${level}`; p.textContent = text;
  close.className = "plain"; close.type = "button"; close.dataset.dismiss = ""; close.textContent = "×";
  close.setAttribute("aria-label", said.close);
  box.append(p, close);
  document.getElementById("toasts").append(box);
}
document.addEventListener("toast", e => toast(e.detail.message ?? e.detail.value, e.detail.level)); // HX-Trigger: {"toast": {...}}

document.addEventListener("click", event => {
  const hit = selector => event.target.closest?.(selector);
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  let found;
  if (hit("[data-theme-toggle]")) toggleTheme();
  else if ((found = hit("a[data-sort]"))) sort(event, found);
  else if ((found = hit("[data-copy]"))) copy(found);
  else if ((found = hit("[data-dismiss]"))) found.parentNode.remove();
  else if ((found = hit("[data-dialog]"))) { event.preventDefault(); document.getElementById(found.dataset.dialog).showModal(); }
  else if (hit("[data-print]")) print();
  else if ((found = hit("dialog [data-cancel]"))) { event.preventDefault(); found.closest("dialog").close(); }
});
document.addEventListener("keydown", event => {
  if (event.key === "Escape") {
    const menu = document.activeElement?.closest("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  }
  if (event.ctrlKey || event.metaKey || event.altKey && !event.getModifierState?.("AltGraph")) return;
  if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
  if (event.key === "/") { const box = document.getElementById("search-q"); if (box) { event.preventDefault(); box.focus(); } }
  else document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
});

function start(scope) {
  for (const b of scope.querySelectorAll("[data-dismiss], [data-print]")) b.hidden = false;
  scope.querySelector("[data-focus]")?.focus();
}
start(document);
document.addEventListener("htmx:load", e => e.target !== document.body && start(e.target));
