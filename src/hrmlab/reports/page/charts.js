// Small line charts as SVG text: the browser's HTML parser knows what SVG is, so no namespace is needed.
"use strict";

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const WIDTH = 380, HEIGHT = 200, LEFT = 44, RIGHT = 8, TOP = 22, BOTTOM = 34;

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}

/** Round numbers from low to high, about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(8)));
  return found;
}

function short(value) {
  return Math.abs(value) >= 1e4 ? `${Number((value / 1000).toPrecision(3))}k` : Number(value.toPrecision(3));
}

/**
 * Draw curves into a host.
 * series: [{name, points: [[x, y]], band: [[x, low, high]] or none, dots: whether points are marked}].
 * options: x, y: axis labels; low, high: of the y axis, or from the data; at: an x to mark, or none.
 */
function drawChart(host, series, options) {
  const points = series.flatMap((s) => [...s.points, ...(s.band || []).flatMap(([x, a, b]) => [[x, a], [x, b]])]);
  if (!points.length) { host.textContent = "nothing to draw"; return; }
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [options.low ?? Math.min(...ys), options.high ?? Math.max(...ys)];
  if (y1 === y0) { y0 -= 0.5; y1 += 0.5; }
  const X = (x) => (LEFT + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const Y = (y) => (HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const parts = [];
  for (const y of ticks(y0, y1, 5)) {
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${Y(y)}" y2="${Y(y)}" stroke="var(--line)"/>`);
    parts.push(`<text class="tick" x="${LEFT - 6}" y="${Number(Y(y)) + 4}" text-anchor="end">${short(y)}</text>`);
  }
  const whole = ticks(x0, x1, 6).filter((x) => !options.whole || Number.isInteger(x));
  for (const x of whole) parts.push(`<text class="tick" x="${X(x)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${short(x)}</text>`);
  parts.push(`<text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escaped(options.x)}</text>`);
  if (options.at !== undefined) parts.push(`<line x1="${X(options.at)}" x2="${X(options.at)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="var(--ink)" stroke-dasharray="3 3"/>`);
  let legend = LEFT;
  series.forEach((s, index) => {
    const colour = COLOURS[index % COLOURS.length];
    if (s.band && s.band.length) {
      const up = s.band.map(([x, , high]) => `${X(x)},${Y(high)}`), down = s.band.map(([x, low]) => `${X(x)},${Y(low)}`).reverse();
      parts.push(`<polygon points="${[...up, ...down].join(" ")}" fill="${colour}" opacity="0.2"/>`);
    }
    const path = s.points.map(([x, y]) => `${X(x)},${Y(y)}`).join(" ");
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-dasharray="${["", "6 3", "2 2"][index % 3]}"/>`);
    if (s.dots || s.points.length === 1) for (const [x, y] of s.points) parts.push(`<circle cx="${X(x)}" cy="${Y(y)}" r="2.4" fill="${colour}"/>`);
    parts.push(`<rect x="${legend}" y="4" width="9" height="9" fill="${colour}"/><text x="${legend + 13}" y="12">${escaped(s.name)}</text>`);
    legend += 26 + 6.2 * s.name.length;
  });
  host.innerHTML = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(options.y)} by ${escaped(options.x)}">${parts.join("")}</svg>`;
}

/** A way through a plane, both axes of one scale, with the point `at` (an index) ringed. */
function drawWay(name, share, points, at) {
  const size = 200, pad = 22;
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-9);
  const [cx, cy] = [(Math.max(...xs) + Math.min(...xs)) / 2, (Math.max(...ys) + Math.min(...ys)) / 2];
  const X = (x) => (size / 2 + ((x - cx) / span) * (size - 2 * pad)).toFixed(1);
  const Y = (y) => (size / 2 - ((y - cy) / span) * (size - 2 * pad)).toFixed(1);
  const dots = points.map(([x, y], k) => `<circle cx="${X(x)}" cy="${Y(y)}" r="3" fill="${COLOURS[0]}" opacity="${(0.3 + (0.7 * (k + 1)) / points.length).toFixed(2)}"/>`);
  const [x, y] = points[at];
  const words = `${name}: ${Math.round(100 * share)}% of the variance`;
  return `<svg viewBox="0 0 ${size} ${size + 16}" role="img" aria-label="${escaped(words)}">` +
    `<rect x="4" y="4" width="${size - 8}" height="${size - 8}" fill="none" stroke="var(--line)"/>` +
    `<polyline points="${points.map((p) => `${X(p[0])},${Y(p[1])}`).join(" ")}" fill="none" stroke="${COLOURS[0]}" opacity="0.5"/>${dots.join("")}` +
    `<circle cx="${X(x)}" cy="${Y(y)}" r="6.5" fill="none" stroke="var(--ink)" stroke-width="1.5"/>` +
    (at ? `<text x="${X(points[0][0])}" y="${Number(Y(points[0][1])) - 9}" text-anchor="middle" class="tick">1</text>` : "") +
    `<text x="${size / 2}" y="${size + 11}" text-anchor="middle">${escaped(words)}</text></svg>`;
}
