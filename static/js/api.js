// The schema as Swagger UI shows it: from our own address, with nothing asked of anybody else.
const place = document.getElementById("api");
window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  validatorUrl: null, // or it would ask a server of its maker's
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  syntaxHighlight: { activated: true, theme: "agate" },
});
// Its dark colours follow the site's theme.
const system = matchMedia("(prefers-color-scheme: dark)"), root = document.documentElement;
const dress = () => root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
document.addEventListener("themechange", dress);
system.addEventListener("change", dress);
dress();
