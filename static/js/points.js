// Events one by one, those that lie close as one circle with their number; the map is drawn by Plotly on a blank style, so that
// nothing is asked of another site. Where there is no WebGL the counted cells stay.
import { plotly } from "./plotly.js";

const SCALE = 1e5, STEPS = [10, 100, 1000], SIZES = [13, 19, 26, 34];
const token = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const hasWebGL = () => { const gl = document.createElement("canvas").getContext("webgl2"); gl?.getExtension("WEBGL_lose_context")?.loseContext(); return Boolean(gl); };

export async function points(open) {
  const plot = document.querySelector("[data-points]"), figure = plot?.closest("figure");
  if (!plot || !hasWebGL()) return;
  const asked = plot.dataset.points;
  if (plot.dataset.drawnOf === asked) return;
  const [Plotly, answer] = await Promise.all([plotly(plot.dataset.plotly), fetch(asked)]).catch(() => []);
  if (!answer?.ok) return;
  const all = new Int32Array(await answer.arrayBuffer()), n = all.length / 2;
  if (plot.dataset.points !== asked) return; // another window was asked for meanwhile
  plot.dataset.drawnOf = asked;
  plot.hidden = false;
  figure.classList.add("is-clustered");
  const degrees = from => Float64Array.from(all.subarray(from, from + n), value => value / SCALE);
  await Plotly.react(plot, [trace(degrees(0), degrees(n))], layout(plot, plot.layout?.map), { displayModeBar: false, scrollZoom: true, responsive: true });
  listen(plot, open);
  plot.dataset.drawn = "yes";
}

// One hue from faint to full, as the cells have it; written out, as WebGL knows no custom properties.
function shades() {
  const parts = colour => { const c = document.createElement("canvas").getContext("2d"); c.fillStyle = colour; c.fillRect(0, 0, 1, 1); return c.getImageData(0, 0, 1, 1).data; };
  const paper = parts(token("--paper")), accent = parts(token("--accent"));
  // Black figures must be read on all of them: the accent is dark on light paper, and light on dark.
  const shares = getComputedStyle(document.documentElement).colorScheme === "dark" ? [.62, .75, .87, 1] : [.3, .44, .58, .72];
  return shares.map(share => `rgb(${[0, 1, 2].map(i => Math.round(paper[i] + (accent[i] - paper[i]) * share)).join(",")})`);
}

function trace(lon, lat) {
  return {
    type: "scattermap", mode: "markers", lon, lat, hoverinfo: "none", marker: { size: 7, color: token("--accent"), opacity: .8 },
    cluster: { enabled: true, maxzoom: 15, step: STEPS, size: SIZES, color: shades(), opacity: .95 },
  };
}

function layout(plot, before) {
  const [west, south, east, north] = plot.dataset.bounds.split(" ").map(Number), lines = JSON.parse(document.getElementById("points-lines").textContent);
  const zoom = Math.log2(Math.min(plot.clientWidth / (east - west), plot.clientHeight / (north - south)) * 360 / 512) - .1;
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: token("--paper"), showlegend: false,
    map: {
      style: { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint: { "background-color": token("--paper") } }] },
      center: before?.center ?? { lon: (west + east) / 2, lat: (south + north) / 2 }, zoom: before?.zoom ?? zoom,
      layers: [
        { sourcetype: "geojson", source: lines, type: "fill", color: token("--paper2"), below: "traces" },
        { sourcetype: "geojson", source: lines, type: "line", color: token("--rule2"), line: { width: 1 }, below: "traces" },
      ],
    },
  };
}

// A circle opens at a click into what it holds; a single event opens its cell.
function listen(plot, open) {
  const map = plot._fullLayout?.map?._subplot?.map;
  if (!map || plot.dataset.listens) return;
  plot.dataset.listens = "yes";
  map.on("click", e => {
    const near = map.queryRenderedFeatures([[e.point.x - 4, e.point.y - 4], [e.point.x + 4, e.point.y + 4]]).filter(f => f.geometry.type === "Point");
    const cluster = near.find(f => f.properties.point_count);
    if (cluster) map.easeTo({ center: cluster.geometry.coordinates, zoom: map.getZoom() + 2, animate: !matchMedia("(prefers-reduced-motion: reduce)").matches });
    else if (near.length) open(...near[0].geometry.coordinates);
  });
}
