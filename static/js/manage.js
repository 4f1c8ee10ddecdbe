// Weights add up while they are typed. The page works without it: the server adds them up too.
const figure = text => Number(text.trim().replace(",", ".")) || 0;
for (const form of document.querySelectorAll("form[data-weights]")) {
  const out = form.querySelector("[data-sum]"), line = form.querySelector("[data-sum-line]");
  form.addEventListener("input", () => {
    const sum = [...form.querySelectorAll("[data-weight]")].reduce((total, field) => total + figure(field.value), 0);
    out.textContent = sum.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
    line.classList.toggle("off", Math.abs(sum - 100) > 0.005);
  });
}
