// How far a metric moved, by deal type: a bar for each band of change, parted by what the rules said.

const SVG = "http://www.w3.org/2000/svg";
const EDGES = [-100, -50, -25, -10, -5, -1, 0, 1, 5, 10, 25, 50, 100, 200];
const BANDS = ["lost", "≤ −100 %", "−100…−50", "−50…−25", "−25…−10", "−10…−5", "−5…−1", "−1…0", "none",
  "0…1", "1…5", "5…10", "10…25", "25…50", "50…100", "100…200", "> 200 %", "from 0"];
const SAME = BANDS.indexOf("none"), FROM_ZERO = BANDS.indexOf("from 0");
const PARTS = ["fails", "accepted", "allowed", "same"];
const MOST_TYPES = 12;

function bandOf(percent) {
  if (percent === 0) return SAME;
  if (percent < 0) return 1 + EDGES.filter((edge) => edge < percent && edge <= 0).length;
  return SAME + 1 + EDGES.filter((edge) => edge > 0 && percent > edge).length;
}

function svg(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// Metrics that any deal has a percentage of, cost_total first.
function numericMetrics() {
  const found = new Set();
  for (const deal of data.deals) {
    for (const finding of deal.findings || []) if (finding.percent !== undefined) found.add(finding.metric);
  }
  return [...found].sort((a, b) => (word(b) === "cost_total") - (word(a) === "cost_total") || (word(a) < word(b) ? -1 : 1));
}

function countBands(metric) {
  const counts = new Map();
  const compared = new Set(["matched", "changed", "regressed", "accepted"].map((name) => data.statuses.indexOf(name)));
  for (const deal of data.deals) {
    if (!compared.has(deal.status)) continue;
    const finding = (deal.findings || []).find((one) => one.metric === metric);
    let band = SAME, part = "same";
    if (finding) {
      band = finding.move === "lost" ? 0 : finding.percent !== undefined ? bandOf(finding.percent) : finding.move === "from 0" ? FROM_ZERO : -1;
      part = !finding.gates ? "allowed" : STATUS(deal) === "accepted" ? "accepted" : "fails";
    }
    if (band < 0) continue;
    const key = word(deal.type);
    if (!counts.has(key)) counts.set(key, BANDS.map(() => ({ fails: 0, accepted: 0, allowed: 0, same: 0 })));
    counts.get(key)[band][part]++;
  }
  return counts;
}

function drawPlot(metric) {
  const counts = countBands(metric);
  const types = data.types.filter((type) => counts.has(type)).slice(0, MOST_TYPES);
  const used = BANDS.map((_, band) => types.some((type) => PARTS.some((part) => counts.get(type)[band][part])));
  const first = used.indexOf(true), last = used.lastIndexOf(true);
  const bands = BANDS.map((_, band) => band).filter((band) => band >= first && band <= last && (used[band] || (band !== 0 && band !== FROM_ZERO)));
  const left = 118, column = Math.min(92, (1000 - left) / bands.length), row = 84, height = types.length * row + 34;
  const picture = svg("svg", { viewBox: `0 0 1000 ${height}`, role: "img", class: "plot" });
  picture.setAttribute("aria-label", plotWords(metric, types, counts));
  types.forEach((type, line) => {
    const foot = (line + 1) * row - 8;
    picture.append(svg("text", { x: 0, y: foot - 4, class: "type" }, visible(type.length > 15 ? type.slice(0, 14) + "…" : type)));
    picture.append(svg("line", { x1: left, x2: left + column * bands.length, y1: foot, y2: foot, class: "axis" }));
    const most = Math.max(...bands.map((band) => total(counts.get(type)[band])));
    bands.forEach((band, at) => drawBar(picture, counts.get(type)[band], left + at * column, foot, column, (row - 34) / most, type, band));
  });
  bands.forEach((band, at) => picture.append(svg("text", { x: left + (at + 0.5) * column, y: height - 12, class: "band" }, BANDS[band])));
  return picture;
}

const total = (parts) => PARTS.reduce((sum, part) => sum + parts[part], 0);

function drawBar(picture, parts, x, foot, column, unit, type, band) {
  const sum = total(parts);
  if (!sum) return;
  let y = foot;
  const bar = svg("g", {});
  bar.append(svg("title", {}, `${visible(type)}, ${BANDS[band]}: ` + PARTS.filter((part) => parts[part]).map((part) => `${parts[part]} ${part}`).join(", ")));
  for (const part of [...PARTS].reverse()) {
    if (!parts[part]) continue;
    const tall = Math.max(parts[part] * unit, 2.5);
    y -= tall;
    bar.append(svg("rect", { x: x + column * 0.14, y, width: column * 0.72, height: tall, class: part }));
  }
  bar.append(svg("text", { x: x + column / 2, y: y - 5, class: "count" }, sum.toLocaleString("en")));
  picture.append(bar);
}

function plotWords(metric, types, counts) {
  const one = (type) => `${visible(type)}: ` + BANDS.map((name, band) => [name, total(counts.get(type)[band])])
    .filter(([, sum]) => sum).map(([name, sum]) => `${sum} ${name}`).join(", ");
  return `Change of ${visible(word(metric))} in percent. ` + types.map(one).join(". ");
}

function showPlot() {
  const metrics = numericMetrics(), choice = document.getElementById("plot-metric");
  if (!metrics.length) return document.getElementById("sizes").remove();
  metrics.forEach((metric) => choice.append(make("option", { value: metric }, visible(word(metric)))));
  const draw = () => document.getElementById("plot").replaceChildren(
    make("div", { class: "scroll" }, drawPlot(Number(choice.value))),
    make("p", { class: "legend" }, "Percent of the baseline's value; the height of a bar is its part of the type. ",
      ...PARTS.map((part) => make("span", { class: part }, { fails: "fails", accepted: "accepted", allowed: "allowed", same: "unchanged" }[part]))),
  );
  choice.addEventListener("change", draw);
  draw();
}
