// Draws what components/chart.html carries, in the page's own ink, when it comes into view. The table twin needs none of this.
import { plotly } from "./plotly.js";

const root = document.documentElement;
const token = name => getComputedStyle(root).getPropertyValue(name).trim();
const isSpanish = root.lang.startsWith("es");
// Month and day names in the page's language, from the browser.
function register(Plotly) {
  const names = (options, dates) => dates.map(d => new Intl.DateTimeFormat(root.lang, { ...options, timeZone: "UTC" }).format(d));
  const months = [...Array(12).keys()].map(m => new Date(Date.UTC(2023, m, 1)));
  const days = [...Array(7).keys()].map(d => new Date(Date.UTC(2023, 0, 1 + d)));
  Plotly.register({ moduleType: "locale", name: "page", dictionary: {}, format: {
    days: names({ weekday: "long" }, days), shortDays: names({ weekday: "short" }, days),
    months: names({ month: "long" }, months), shortMonths: names({ month: "short" }, months),
    date: "%d/%m/%Y", decimal: isSpanish ? "," : ".", thousands: isSpanish ? "." : ",",
  } });
}

const figure = (value, decimals) => new Intl.NumberFormat(isSpanish ? "es-EC" : "en", decimals == null
  ? { maximumFractionDigits: 1 } : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);

function styles() {
  const ink = token("--ink"), quiet = token("--ink2"), accent = token("--accent");
  return {
    actual: { mode: "lines+markers", line: { color: ink, width: 2 }, marker: { size: 4, color: ink } },
    target: { mode: "lines", line: { color: accent, width: 1.5, dash: "dash" } },
    before: { mode: "lines", line: { color: quiet, width: 1.2, dash: "dot" } },
    low: { mode: "lines", line: { width: 0 }, showlegend: false },
    high: { mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: token("--soft"), showlegend: false },
    other: { mode: "lines", line: { color: quiet, width: 1.2 } },
  };
}

function trend(data) {
  const style = styles();
  return data.series.map(s => ({
    type: "scatter", x: data.x, y: s.y, name: s.name, connectgaps: false, ...style[s.role],
    customdata: s.y.map(v => (v === null ? "" : figure(v, data.decimals))), hovertemplate: "%{customdata}",
  }));
}

// A bar carries its light by texture as well as colour, as the map does.
const texture = { green: "", amber: ".", red: "/" };
function bars(data) {
  const s = data.series[0], plain = token("--accent");
  const colours = data.bands.map(b => (b in texture ? token(`--${b}`) : token("--rule2")));
  return [{
    type: "bar", orientation: "h", y: data.labels, x: s.y, name: s.name, text: s.y.map(v => (v === null ? "" : figure(v, data.decimals))),
    textposition: "outside", cliponaxis: false, hovertemplate: "%{y}: %{text}<extra></extra>", customdata: data.hrefs,
    marker: { color: data.bands.length ? colours : plain, pattern: { fillmode: "overlay", shape: data.bands.map(b => texture[b] ?? ""), fgcolor: token("--over"), size: 6, solidity: .2, fgopacity: .7 } },
  }];
}

function layout(data, wide) {
  const ink = token("--ink"), quiet = token("--ink2"), rule = token("--rule");
  const axis = { gridcolor: rule, linecolor: quiet, tickcolor: quiet, tickfont: { color: quiet, size: 12 }, zeroline: false, fixedrange: true, automargin: true };
  const isBars = data.kind === "bars";
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", separators: isSpanish ? ",." : ".,",
    font: { family: token("--sans"), size: 13, color: ink }, margin: { l: 8, r: isBars ? 44 : 8, t: 8, b: 8 },
    height: isBars ? Math.max(160, 40 + 24 * data.labels.length) : wide ? 320 : 260, bargap: .35, hovermode: isBars ? "closest" : "x unified",
    hoverlabel: { bgcolor: token("--raise"), bordercolor: quiet, font: { color: ink } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { color: ink } }, showlegend: !isBars,
    xaxis: isBars ? { ...axis, rangemode: "tozero", nticks: 6 } : { ...axis, showgrid: false, hoverformat: "%B %Y", tickformat: "%b\n%Y", nticks: wide ? 14 : 6 },
    yaxis: isBars ? { ...axis, autorange: "reversed", showgrid: false, tickfont: { color: ink, size: 13 } } : { ...axis, rangemode: "tozero", nticks: 6, showline: false },
  };
}

async function draw(element) {
  const data = JSON.parse(document.getElementById(element.dataset.chart).textContent), plot = element.querySelector(".plot");
  const Plotly = await plotly(element.dataset.plotly, register);
  const traces = data.kind === "bars" ? bars(data) : trend(data);
  await Plotly.react(plot, traces, layout(data, plot.clientWidth > 560), { displayModeBar: false, displaylogo: false, responsive: true, locale: "page", topojsonURL: "/" });
  if (data.hrefs.length && !plot.dataset.linked) {
    plot.dataset.linked = "yes";
    plot.on("plotly_click", e => { location.href = e.points[0].customdata; });
  }
  element.dataset.drawn = "yes";
}

const inView = new IntersectionObserver(entries => {
  for (const entry of entries) if (entry.isIntersecting) { inView.unobserve(entry.target); draw(entry.target); }
}, { rootMargin: "200px" });
const watch = scope => (scope.matches?.("[data-chart]") ? [scope, ...scope.querySelectorAll("[data-chart]")] : [...scope.querySelectorAll("[data-chart]")]).filter(e => !e.dataset.watched).forEach(e => { e.dataset.watched = "yes"; inView.observe(e); });
const redraw = () => document.querySelectorAll("[data-chart][data-drawn]").forEach(draw);
watch(document);
document.addEventListener("htmx:load", e => watch(e.target));
document.addEventListener("themechange", redraw);
document.addEventListener("datachange", redraw);
