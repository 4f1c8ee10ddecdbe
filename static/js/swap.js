// Makes what stands on the page say what a fresh copy of it says, touching only what differs: focus, selection, scroll, open
// menus and the reader's own order of rows stay. Tells which rows, figures and areas have changed.

const KEPT = ".tip, .zoom, .plot, [data-swap-keep]"; // what scripts have made is theirs
const OWN_ATTRIBUTES = new Set(["viewBox", "tabindex", "style", "open", "aria-sort", "patternTransform", "data-started", "data-watched", "data-drawn"]);
const OWN_CLASSES = ["is-changed", "zoomed"];
const MARKED = "tr, .fig, h1, h2, [data-code], [data-key], .light";

const keyOf = element => element.dataset.key ?? element.dataset.code ?? element.querySelector?.("th a[href]")?.pathname ?? element.querySelector?.("th")?.textContent.trim();
const isKeyed = parent => parent.matches("tbody, [data-areas], [data-keyed]");

export function swap(old, fresh) {
  const changed = new Set();
  element(old, fresh, changed);
  return changed;
}

function mark(node, changed) {
  const here = node.nodeType === 1 ? node : node.parentElement, at = here?.closest("tr") ?? here?.closest(MARKED);
  if (at) changed.add(at);
}

function element(old, fresh, changed) {
  if (old.matches(KEPT)) return;
  attributes(old, fresh, changed);
  if (isKeyed(old)) keyed(old, fresh, changed);
  else placed(old, fresh, changed);
}

function attributes(old, fresh, changed) {
  for (const { name, value } of fresh.attributes) {
    if (OWN_ATTRIBUTES.has(name)) continue;
    if (name === "class") {
      const own = OWN_CLASSES.filter(c => old.classList.contains(c)), wanted = [value, ...own].join(" ").trim();
      if (old.getAttribute("class") !== wanted) { old.setAttribute("class", wanted); mark(old, changed); }
    } else if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
      if (name === "fill" || name === "aria-label") mark(old, changed);
    }
  }
  for (const { name } of [...old.attributes]) {
    if (fresh.hasAttribute(name) || OWN_ATTRIBUTES.has(name) || (name === "class" && OWN_CLASSES.some(c => old.classList.contains(c)))) continue;
    old.removeAttribute(name);
  }
}

// Children by their place: texts are set anew, elements of the same name are made alike.
function placed(old, fresh, changed) {
  const before = [...old.childNodes].filter(isTheirs), after = [...fresh.childNodes];
  after.forEach((node, i) => {
    const was = before[i];
    if (!was) { old.append(take(node)); mark(old, changed); }
    else if (was.nodeType !== node.nodeType || was.nodeName !== node.nodeName) { was.replaceWith(take(node)); mark(old, changed); }
    else if (node.nodeType === 1) element(was, node, changed);
    else if (was.data !== node.data) { was.data = node.data; mark(was, changed); }
  });
  for (const node of before.slice(after.length)) { node.remove(); mark(old, changed); }
}
const isTheirs = node => node.nodeType !== 1 || !node.matches("path.focus, [data-swap-own]");
const take = node => document.importNode(node, true);

// Rows and areas by what they are of: those that stay keep their place, so that nothing moves under the reader's eyes.
function keyed(old, fresh, changed) {
  const rows = new Map([...old.children].filter(isTheirs).map(row => [keyOf(row), row])), wanted = [...fresh.children], keys = new Set(wanted.map(keyOf));
  if (rows.size < old.children.length - old.querySelectorAll(":scope > [data-swap-own], :scope > path.focus").length || keys.size < wanted.length) return placed(old, fresh, changed);
  let previous = null;
  for (const row of wanted) {
    const key = keyOf(row), was = rows.get(key);
    if (was) element(was, row, changed);
    else {
      const made = take(row);
      if (previous) previous.after(made); else old.prepend(made);
      rows.set(key, made);
      changed.add(made);
    }
    previous = rows.get(key);
  }
  for (const [key, row] of rows) if (!keys.has(key)) row.remove();
  const order = [...keys].join("\n"), now = [...old.children].filter(isTheirs).map(keyOf).join("\n");
  old.freshOrder = order === now || old.matches("[data-areas]") ? null : [...keys];
}

// Put the rows as the fresh copy had them.
export function reorder(body) {
  const rows = new Map([...body.children].map(row => [keyOf(row), row]));
  body.append(...(body.freshOrder ?? []).map(key => rows.get(key)).filter(Boolean));
  body.freshOrder = null;
}
