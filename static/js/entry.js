// Entry, cell by cell: Enter or arrow down saves and goes on, Esc restores; the row's light moves as it is saved.
// Without this script the same form saves all that was changed.
const form = document.querySelector("[data-entry]");
const rowsOf = () => [...form.querySelectorAll("[data-row]")];
const fieldsOf = row => [...row.querySelectorAll("[data-field]")];
const inputsOf = row => fieldsOf(row).filter(f => f.type !== "checkbox");
const said = row => row.querySelector("[data-part=said]");

const typed = row => {
  const value = name => {
    const field = row.querySelector(`[data-field=${name}]`);
    return !field ? "" : field.type === "checkbox" ? (field.checked ? field.value : "") : field.value.trim();
  };
  return [value("numerator"), value("denominator"), value("state")].join("|");
};
const isDirty = row => typed(row) !== row.dataset.original;
// A ratio is saved once both its parts are there, or both are empty.
const isWhole = row => {
  const inputs = inputsOf(row);
  if (inputs.length < 2 || row.querySelector("[data-field=state]").checked) return true;
  const filled = inputs.filter(i => i.value.trim() !== "").length;
  return filled !== 1 || inputs.some(i => /^\s*n/i.test(i.value));
};

function restore(row) {
  const [numerator, denominator, state] = row.dataset.original.split("|");
  for (const field of fieldsOf(row)) {
    if (field.type === "checkbox") field.checked = state === field.value;
    else field.value = field.dataset.field === "numerator" ? numerator : denominator;
    field.readOnly = field.type !== "checkbox" && state !== "";
    field.removeAttribute("aria-invalid");
  }
  row.classList.remove("has-error", "is-dirty");
  if (row.saidBefore !== undefined) said(row).replaceChildren(...row.saidBefore);
}

function say(row, text, rule = "") {
  row.saidBefore ??= [...said(row).childNodes];
  const span = document.createElement("span");
  span.className = "error";
  span.textContent = `${text} `;
  if (rule) {
    const small = document.createElement("small");
    small.textContent = `[${rule}]`;
    span.append(small);
  }
  said(row).replaceChildren(span);
  row.classList.add("has-error");
}

function progress() {
  const entered = rowsOf().filter(r => r.hasAttribute("data-entered")).length;
  document.querySelector("[data-progress]").textContent = form.dataset.progressText.replace("{n}", entered);
  document.querySelector("[data-bar]").value = entered;
}

// Put the row as the server says it into the row on the page; what is being typed stays.
function put(row, html, keepTyped) {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  const fresh = holder.content.querySelector("tr");
  const now = keepTyped ? fieldsOf(row).map(f => (f.type === "checkbox" ? f.checked : f.value)) : null;
  const active = row.contains(document.activeElement) ? document.activeElement : null;
  const changed = row.dataset.stamp !== fresh.dataset.stamp;
  for (const name of ["stamp", "original"]) row.dataset[name] = fresh.dataset[name];
  row.toggleAttribute("data-entered", fresh.hasAttribute("data-entered"));
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = row.querySelector(`[data-part=${part.dataset.part}]`);
    const moved = old.innerHTML !== part.innerHTML && part.dataset.part !== "said";
    old.replaceChildren(...part.childNodes);
    if (moved && changed) { old.classList.remove("is-new"); void old.offsetWidth; old.classList.add("is-new"); }
  }
  for (const input of row.querySelectorAll("input[type=hidden]")) input.value = fresh.querySelector(`[name="${input.name}"]`).value;
  row.saidBefore = undefined;
  restore(row);
  if (now) fieldsOf(row).forEach((f, i) => { if (f.type === "checkbox") f.checked = now[i]; else f.value = now[i]; });
  // A row that was left by Undo's button, which is gone: the keyboard stays in the row.
  if (active && !row.contains(document.activeElement)) (inputsOf(row)[0] ?? row).focus();
  row.classList.toggle("is-dirty", isDirty(row));
}

async function send(row, extra = {}) {
  const data = new FormData();
  // Who signs in again in another window gets another token: the cookie has the one that holds.
  const token = document.cookie.match(/(?:^|; )csrftoken=(\w+)/)?.[1] ?? form.querySelector("[name=csrfmiddlewaretoken]").value;
  data.set("csrfmiddlewaretoken", token);
  data.set("cell", row.dataset.row);
  for (const field of row.querySelectorAll("input")) if (field.type !== "checkbox" || field.checked) data.set(field.name, field.value);
  for (const [name, value] of Object.entries(extra)) data.set(name, value);
  const answer = await fetch(location.href, { method: "POST", body: data, headers: { accept: "application/json" }, redirect: "manual" });
  return [answer.status, answer.status < 500 && answer.headers.get("content-type")?.includes("json") ? await answer.json() : null];
}

// One save of a row at a time; what is typed meanwhile is saved after it.
async function save(row, extra) {
  if (row.saving) { row.again = true; return row.saving; }
  if (!extra && (!isDirty(row) || !isWhole(row))) return;
  row.saving = (async () => {
    const sent = typed(row);
    row.setAttribute("aria-busy", "true");
    try {
      const [status, answer] = await send(row, extra);
      if (status === 200) put(row, answer.row, typed(row) !== sent && !extra);
      else if (status === 409) { put(row, answer.row, true); say(row, answer.message, "changed_meanwhile"); }
      else if (status === 422) {
        say(row, answer.message, answer.rule);
        row.querySelector(`[data-field=${answer.field}]`)?.setAttribute("aria-invalid", "true");
      } else say(row, status === 0 || status === 403 ? form.dataset.ended : form.dataset.failed); // 0: led to the page of signing in
    } catch {
      say(row, form.dataset.offline);
    } finally {
      row.removeAttribute("aria-busy");
    }
    progress();
  })();
  await row.saving;
  row.saving = null;
  if (row.again) { row.again = false; if (isDirty(row) && !row.classList.contains("has-error")) return save(row); }
}

function step(field, by) {
  const row = field.closest("[data-row]"), inputs = inputsOf(row);
  if (by > 0 && field.dataset.field === "numerator" && inputs.length > 1) { inputs[1].focus(); inputs[1].select(); return; }
  if (by < 0 && field.dataset.field === "denominator") { inputs[0].focus(); inputs[0].select(); return; }
  const rows = rowsOf(), next = rows[rows.indexOf(row) + by];
  save(row);
  if (!next) return;
  const fields = inputsOf(next), to = by > 0 ? fields[0] : fields[fields.length - 1];
  to.focus(); to.select();
}

if (form) {
  form.classList.add("has-script");
  form.addEventListener("keydown", event => {
    const field = event.target.closest("[data-field]");
    if (!field) return;
    if (event.key === "Enter") { event.preventDefault(); step(field, event.shiftKey ? -1 : 1); }
    else if (event.key === "ArrowDown") { event.preventDefault(); step(field, 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); step(field, -1); }
    else if (event.key === "Escape") { restore(field.closest("[data-row]")); field.select?.(); }
  });
  form.addEventListener("input", event => {
    const row = event.target.closest("[data-row]");
    if (!row) return;
    row.classList.toggle("is-dirty", isDirty(row));
    event.target.removeAttribute("aria-invalid");
  });
  form.addEventListener("change", event => {
    if (event.target.type !== "checkbox") return;
    const row = event.target.closest("[data-row]"), was = row.dataset.original.split("|");
    inputsOf(row).forEach((input, i) => {
      input.readOnly = event.target.checked;
      input.value = event.target.checked ? "" : was[2] ? "" : was[i];
    });
    save(row);
  });
  form.addEventListener("focusout", event => {
    const row = event.target.closest("[data-row]");
    if (row && !row.contains(event.relatedTarget) && isDirty(row)) save(row);
  });
  form.addEventListener("click", event => {
    const button = event.target.closest("[data-undo]");
    if (!button) return;
    event.preventDefault();
    save(button.closest("[data-row]"), { undo: button.value });
  });
  form.addEventListener("submit", event => event.preventDefault());
  addEventListener("beforeunload", event => { if (rowsOf().some(isDirty)) event.preventDefault(); });
  (rowsOf().find(row => !row.hasAttribute("data-entered")) ?? rowsOf()[0])?.querySelector("[data-field=numerator]").focus({ preventScroll: true });
}
