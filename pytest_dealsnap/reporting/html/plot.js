// How far a metric moved: what each cause adds, and for each type how many deals moved how far, and from where to where.

const SVG = "http://www.w3.org/2000/svg";
const EDGES = [-100, -50, -25, -10, -5, -1, 0, 1, 5, 10, 25, 50, 100, 200];
const BANDS = ["lost", "≤ −100 %", "−100…−50 %", "−50…−25 %", "−25…−10 %", "−10…−5 %", "−5…−1 %", "−1…0 %", "none",
  "0…1 %", "1…5 %", "5…10 %", "10…25 %", "25…50 %", "50…100 %", "100…200 %", "> 200 %", "from 0"];
const SAME = BANDS.indexOf("none"), FROM_ZERO = BANDS.indexOf("from 0");
const PARTS = ["fails", "accepted", "allowed", "same"];
const PART_WORDS = { fails: "fails", accepted: "accepted", allowed: "allowed", same: "unchanged" };
const MOST_TYPES = 12, MOST_STEPS = 8;
const COMPARED = new Set(["matched", "changed", "regressed", "accepted"]);
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const money = (amount) => amount.toLocaleString("en", { maximumFractionDigits: 2, signDisplay: "exceptZero" });

function bandOf(percent) {
  if (percent === 0) return SAME;
  if (percent < 0) return 1 + EDGES.filter((edge) => edge < percent && edge <= 0).length;
  return SAME + 1 + EDGES.filter((edge) => edge > 0 && percent > edge).length;
}

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Metrics that any deal has a percentage of, in the order in which they lead; others by name.
function numericMetrics() {
  const found = new Set();
  for (const deal of data.deals) {
    for (const finding of deal.findings || []) if (finding.percent !== undefined) found.add(finding.metric);
  }
  const rank = (metric) => (data.metrics.includes(word(metric)) ? data.metrics.indexOf(word(metric)) : data.metrics.length);
  return [...found].sort((a, b) => rank(a) - rank(b) || (word(a) < word(b) ? -1 : 1));
}

const partOf = (deal, finding) => (!finding.gates ? "allowed" : STATUS(deal) === "accepted" ? "accepted" : "fails");

function countBands(metric) {
  const counts = new Map();
  for (const deal of data.deals) {
    if (!COMPARED.has(STATUS(deal))) continue;
    const finding = (deal.findings || []).find((one) => one.metric === metric);
    let band = SAME, part = "same";
    if (finding) {
      band = finding.move === "lost" ? 0 : finding.percent !== undefined ? bandOf(finding.percent) : finding.move === "from 0" ? FROM_ZERO : -1;
      part = partOf(deal, finding);
    }
    if (band < 0) continue;
    const key = word(deal.type);
    if (!counts.has(key)) counts.set(key, BANDS.map(() => ({ fails: 0, accepted: 0, allowed: 0, same: 0 })));
    counts.get(key)[band][part]++;
  }
  return counts;
}

const total = (parts) => PARTS.reduce((sum, part) => sum + parts[part], 0);

function typeFigure(metric, type, bands) {
  const most = Math.max(...bands.map(total));
  const rows = BANDS.map((name, band) => [name, bands[band]]).filter(([, parts]) => total(parts)).map(([name, parts]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "bar" }, stackedBar(parts, most)),
      make("td", { class: "number" }, total(parts).toLocaleString("en"))));
  const points = pointsOf(metric, type);
  return make("figure", { class: "type" },
    make("figcaption", {}, make("b", {}, visible(type))),
    make("table", { class: "bars" }, make("caption", { class: "hidden" }, `${visible(type)}: deals by how far ${visible(word(metric))} moved`),
      make("tbody", {}, ...rows)),
    ...(points.length ? scatter(points, metric, type) : []));
}

function stackedBar(parts, most) {
  const words = PARTS.filter((part) => parts[part]).map((part) => `${parts[part]} ${PART_WORDS[part]}`).join(", ");
  const bar = svg("svg", { width: "100%", height: 14, role: "img", "aria-label": words });
  let x = 0;
  for (const part of PARTS) {
    const wide = 100 * parts[part] / most;
    if (parts[part]) bar.append(svg("rect", { x: `${x}%`, y: 0, width: `${Math.max(wide, 0.6)}%`, height: 14, class: part }));
    x += wide;
  }
  return bar;
}

// Baseline against current, one mark a deal. Alike ones are drawn once.

const SIDE = 300, ROOM = 34;

function pointsOf(metric, type) {
  const points = [];
  for (const deal of data.deals) {
    if (word(deal.type) !== type || !COMPARED.has(STATUS(deal))) continue;
    const finding = (deal.findings || []).find((one) => one.metric === metric);
    if (finding && finding.before !== undefined && finding.after !== undefined) {
      points.push({ x: finding.before, y: finding.after, part: partOf(deal, finding), rule: finding.rule });
    }
  }
  return points;
}

function scaleOf(points) {
  let low = Infinity, high = -Infinity;
  for (const { x, y } of points) low = Math.min(low, x, y), high = Math.max(high, x, y);
  const logs = low > 0 && high / low > 30;
  const to = logs ? Math.log10 : (value) => value, from = logs ? (value) => 10 ** value : (value) => value;
  let start = to(low), end = to(high);
  const margin = (end - start) * 0.06 || Math.abs(end) * 0.1 || 1;
  start -= margin, end += margin;
  return { logs, start, end, from, place: (value) => (to(value) - start) / (end - start) * SIDE };
}

// What a rule allows at one baseline value, or nothing where it has no bounds of that kind.
function allowedAt(band, x) {
  if (band.ratio) return [x * band.ratio[0], x * band.ratio[1]].sort((a, b) => a - b);
  const room = Math.max(Math.abs(x) * (band.percent || 0) / 100, band.amount || 0);
  return [x - room, x + room];
}

function bandShape(band, scale) {
  const lows = [], highs = [];
  for (let step = 0; step <= 60; step++) {
    const x = scale.from(scale.start + (scale.end - scale.start) * step / 60);
    const [low, high] = allowedAt(band, x).map((value) => (scale.logs && value <= 0 ? -SIDE : scale.place(value)));
    const at = SIDE * step / 60;
    lows.push(`${at.toFixed(1)},${(SIDE - low).toFixed(1)}`);
    highs.unshift(`${at.toFixed(1)},${(SIDE - high).toFixed(1)}`);
  }
  return svg("polygon", { points: [...lows, ...highs].join(" "), class: "tolerance" });
}

const SHAPES = {
  fails: (x, y) => `M${x} ${y - 5}l5 5-5 5-5-5z`,
  accepted: (x, y) => `M${x} ${y - 5}l5 9h-10z`,
  allowed: (x, y) => `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z`,
};

function scatter(points, metric, type) {
  const scale = scaleOf(points);
  const rules = new Set(points.map((point) => point.rule)), [rule] = rules;
  const band = rules.size === 1 ? data.bands[rule] : undefined;
  const inner = svg("svg", { x: ROOM + 14, y: 4, width: SIDE, height: SIDE, viewBox: `0 0 ${SIDE} ${SIDE}` },
    svg("rect", { width: SIDE, height: SIDE, class: "ground" }));
  if (band) inner.append(bandShape(band, scale));
  inner.append(svg("line", { x1: 0, y1: SIDE, x2: SIDE, y2: 0, class: "even" }));
  for (const part of ["allowed", "accepted", "fails"]) {
    const places = new Set(points.filter((point) => point.part === part)
      .map((point) => `${Math.round(scale.place(point.x))} ${Math.round(SIDE - scale.place(point.y))}`));
    if (places.size) inner.append(svg("path", { class: `point ${part}`, d: [...places].map((place) => SHAPES[part](...place.split(" ").map(Number))).join("") }));
  }
  const picture = svg("svg", { viewBox: `0 0 ${SIDE + ROOM + 22} ${SIDE + 26}`, class: "scatter", role: "img" }, inner);
  picture.setAttribute("aria-label", `${visible(word(metric))} of ${points.length.toLocaleString("en")} changed ${visible(type)} deals, baseline against current`);
  for (const step of [0.08, 0.5, 0.92]) {
    const value = short.format(scale.from(scale.start + (scale.end - scale.start) * step));
    picture.append(svg("text", { x: ROOM + 14 + SIDE * step, y: SIDE + 22, class: "middle" }, value),
      svg("text", { x: ROOM + 8, y: 8 + SIDE * (1 - step), class: "end" }, value));
  }
  const words = `${points.length.toLocaleString("en")} changed: baseline to the right, current upwards${scale.logs ? ", logarithmic" : ""}. `
    + (band ? `The grey band is what the rule allows: ${word(rule)}.` : "The line is where nothing changes.");
  return [picture, make("p", { class: "caption" }, words)];
}

// What each cause adds to or takes from the metric's total, over the deals that changed.

function stepsOf(metric) {
  const sums = new Map();
  let before = 0, count = 0;
  data.deals.forEach((deal, place) => {
    const finding = COMPARED.has(STATUS(deal)) && (deal.findings || []).find((one) => one.metric === metric);
    if (!finding || finding.before === undefined || finding.after === undefined) return;
    before += finding.before;
    count++;
    const cause = CAUSES_OF[place].find((number) => data.causes[number].metric === word(metric)) ?? -1;
    const sum = sums.get(cause) || { by: 0, deals: 0 };
    sums.set(cause, { by: sum.by + finding.after - finding.before, deals: sum.deals + 1 });
  });
  const steps = [...sums].map(([cause, sum]) => ({ cause, ...sum })).sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
  return { before, count, steps };
}

function waterfall(metric) {
  const { before, count, steps } = stepsOf(metric);
  if (!count) return null;
  const shown = steps.slice(0, MOST_STEPS), rest = steps.slice(MOST_STEPS);
  if (rest.length) shown.push({ cause: -2, by: rest.reduce((sum, one) => sum + one.by, 0), deals: rest.reduce((sum, one) => sum + one.deals, 0), more: rest.length });
  let level = before, low = Math.min(0, before), high = Math.max(0, before);
  for (const { by } of shown) level += by, low = Math.min(low, level), high = Math.max(high, level);
  // A total far from 0 leaves no room for the steps: then the scale begins near it.
  const levels = shown.reduce((all, { by }) => [...all, all[all.length - 1] + by], [before]);
  const spread = Math.max(...levels) - Math.min(...levels), cut = spread > 0 && spread < (high - low) * 0.25;
  if (cut) low = Math.min(...levels) - spread * 0.15, high = Math.max(...levels) + spread * 0.05;
  const place = (value) => 100 * (value - low) / (high - low || 1);
  const bar = (from, to, kind) => svg("svg", { width: "100%", height: 16, "aria-hidden": "true" },
    svg("rect", { x: `${Math.min(place(from), place(to))}%`, y: 0, width: `${Math.max(Math.abs(place(to) - place(from)), 0.4)}%`, height: 16, class: kind }));
  const base = cut ? low : 0;
  const line = (label, drawn, amount, kind) => make("tr", { class: kind }, make("th", { scope: "row" }, label), make("td", { class: "bar" }, drawn), make("td", { class: "number" }, amount));
  const rows = [line(`baseline of ${count.toLocaleString("en")} changed ${count === 1 ? "deal" : "deals"}`, bar(base, before, "total"), before.toLocaleString("en", { maximumFractionDigits: 2 }), "whole")];
  level = before;
  for (const { cause, by, deals, more } of shown) {
    const name = cause >= 0 ? make("a", { href: `#cause=${data.causes[cause].id}` }, data.causes[cause].title) : more ? `${more} smaller causes` : "in no cause";
    rows.push(line(make("span", {}, name, ` · ${deals.toLocaleString("en")} ${deals === 1 ? "deal" : "deals"}`), bar(level, level + by, by < 0 ? "less" : "more"), money(by), ""));
    level += by;
  }
  rows.push(line("current", bar(base, level, "total"), `${level.toLocaleString("en", { maximumFractionDigits: 2 })}${before > 0 ? ` (${money(100 * (level - before) / before)} %)` : ""}`, "whole"));
  return make("figure", { class: "money" }, make("figcaption", {}, make("b", {}, `${visible(word(metric))} by cause`), cut ? " (bars do not begin at 0)" : ""),
    make("table", { class: "bars waterfall" }, make("caption", { class: "hidden" }, `What each cause adds to ${visible(word(metric))}`), make("tbody", {}, ...rows)));
}

function showPlot() {
  const metrics = numericMetrics(), choice = document.getElementById("plot-metric");
  if (!metrics.length) {
    document.querySelector('.sections a[href="#sizes"]').remove();
    return document.getElementById("sizes").remove();
  }
  metrics.forEach((metric) => choice.append(make("option", { value: metric }, visible(word(metric)))));
  const draw = () => {
    const metric = Number(choice.value), counts = countBands(metric), steps = waterfall(metric);
    const types = data.types.filter((type) => counts.has(type)).slice(0, MOST_TYPES);
    document.getElementById("plot").replaceChildren(
      ...(steps ? [steps] : []),
      make("p", { class: "legend" }, "Deals by percent of the baseline's value:", ...PARTS.map((part) => make("span", { class: part }, PART_WORDS[part]))),
      make("div", { class: "types" }, ...types.map((type) => typeFigure(metric, type, counts.get(type)))));
  };
  choice.addEventListener("change", draw);
  draw();
}
