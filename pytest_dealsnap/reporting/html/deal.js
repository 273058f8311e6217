// One deal: metrics side by side, where its output differs, its texts word by word.

const LONG = 60;

function showDeal(place) {
  const deal = data.deals[place], at = view.places.indexOf(place);
  const list = at < 0 ? data.deals.map((_, number) => number) : view.places, here = at < 0 ? place : at;
  const neighbour = (to, text, key) => (list[to] === undefined
    ? make("span", { class: "gone" }, text)
    : make("a", { href: linkTo(list[to]), rel: key, "data-key": key }, text));
  const causes = CAUSES_OF[place];
  const about = [make("span", { class: `badge ${STATUS(deal)}` }, STATUS(deal)), make("span", {}, deal.types || visible(word(deal.type)))];
  if (deal.seconds >= 0.001) about.push(make("span", {}, `reasoned in ${deal.seconds.toFixed(3)} s`));
  field("deal").replaceChildren(...[
    make("nav", { class: "steps", "aria-label": "Deals" },
      make("a", { href: viewHash(), "data-key": "back" }, "↑ All deals"), make("span", { class: "where" }, `${(here + 1).toLocaleString("en")} of ${list.length.toLocaleString("en")}`),
      neighbour(here - 1, "← Previous", "prev"), neighbour(here + 1, "Next →", "next")),
    make("h1", { id: "deal-title" }, `Deal ${printable(deal.id) || "(empty id)"}`, deal.name ? make("span", { class: "name" }, printable(deal.name)) : null),
    make("p", { class: "about" }, ...about),
    dealTools(deal),
    ...["corrupt", "error", "reason"].filter((key) => deal[key]).map((key) => make("p", { class: `word ${key}` }, deal[key])),
    data.details[place]?.traceback ? traceback(deal, data.details[place].traceback) : null,
    causes.length ? make("ul", { class: "because", "aria-label": "Causes" }, ...causes.slice(0, 12).map((number) =>
      make("li", {}, make("a", { href: `#cause=${data.causes[number].id}` }, data.causes[number].title), ` · ${data.causes[number].weight}`))) : null,
    deal.findings || data.details[place]?.metrics.length ? metricTable(deal, data.details[place]) : null,
    data.details[place] ? differences(data.details[place]) : withoutDetails(deal),
    data.capture || STATUS(deal) === "matched" ? null : decisionForm("deal", deal.id, `deal ${printable(deal.id)}`, !["errored", "missing"].includes(STATUS(deal))),
  ].filter(Boolean));
  field("overview").hidden = true;
  field("sheet").hidden = true;
  field("deal").hidden = false;
  document.title = `Deal ${printable(deal.id)} · dealsnap`;
  scrollTo(0, 0);
  field("deal").focus({ preventScroll: true });
}

function traceback(deal, text) {
  return make("section", {}, make("h2", {}, "Traceback"), make("pre", { class: "command traceback" }, `${text}\n${deal.error || ""}`.trimEnd()));
}

function metricTable(deal, details) {
  // What the details tell better is not told twice: their metrics, and the paths of the output.
  const told = new Set(details ? details.metrics.map((one) => one.metric) : []);
  if (details && details.total) told.add("output");
  const others = (deal.findings || []).filter((finding) => !told.has(printable(word(finding.metric))));
  const rows = [...(details ? details.metrics : []), ...others.map(findingRow)];
  const cells = (one) => make("tr", { class: one.outcome },
    make("th", { scope: "row" }, visible(one.metric)),
    make("td", { "data-label": "baseline", class: "before" }, ...marked(one.baseline, one.current, "-")),
    make("td", { "data-label": "current", class: "after" }, ...marked(one.baseline, one.current, "+")),
    make("td", { "data-label": "change", class: "number change" }, one.change),
    make("td", { "data-label": "rule", class: "rule" }, one.rule),
    make("td", { "data-label": "" }, one.outcome === "unknown" ? ""
      : make("span", { class: `outcome ${one.outcome}` }, one.outcome === "same" ? "unchanged" : one.outcome)));
  return make("section", {}, make("h2", {}, "Metrics"), make("table", { class: "metrics" },
    make("caption", { class: "hidden" }, "Metrics side by side"),
    make("thead", {}, make("tr", {}, ...["metric", "baseline", "current", "change", "rule", ""].map((name) =>
      make("th", { scope: "col", class: name === "change" ? "number" : null }, name || make("span", { class: "hidden" }, "outcome"))))),
    make("tbody", {}, ...rows.map(cells))));
}

// One side of a metric; of two long values, the words that the other side lacks are marked.
function marked(before, after, side) {
  const own = side === "-" ? before : after;
  if (before === after || !before || !after || Math.max(before.length, after.length) <= LONG) return [prose(own)];
  return oneSide(compareWords(before, after), side);
}

const findingRow = (finding) => ({
  metric: word(finding.label),
  baseline: finding.baseline,
  current: finding.current,
  change: finding.change,
  rule: word(finding.rule),
  outcome: finding.gates ? "fails" : "allowed",
});

function differences(details) {
  const shown = details.differences, rest = details.total - shown.length;
  if (!details.total) return null;
  const count = `${details.total.toLocaleString("en")} ${details.total === 1 ? "difference" : "differences"} in its output`;
  return make("section", {}, make("h2", {}, count),
    make("dl", { class: "differences" }, ...shown.map((one) =>
      make("div", { class: one.move === "changed" && Math.max(one.baseline.length, one.current.length) <= LONG ? "short" : "long" },
        make("dt", {}, make("code", {}, one.path), make("span", { class: "move" }, one.move)),
        make("dd", {}, ...sides(one.move, one.baseline, one.current))))),
    rest > 0 ? make("p", {}, `… and ${rest.toLocaleString("en")} more`) : null);
}

function sides(move, before, after) {
  if (move === "added") return [make("ins", {}, prose(after))];
  if (move === "removed") return [make("del", {}, prose(before))];
  if (move === "reordered") return [make("p", {}, "same items, another order:"), make("pre", { class: "command" }, prose(after))];
  if (Math.max(before.length, after.length) > LONG) return [wordDifference(before, after)];
  return [make("del", {}, visible(before)), " → ", make("ins", {}, visible(after))];
}

function withoutDetails(deal) {
  if (!deal.findings || data.capture || STATUS(deal) === "missing") return null;
  const typed = printable(deal.id) === deal.id ? `pytest --dealsnap --dealsnap-id ${quoted(deal.id)} --dealsnap-report html:deal.html` : null;
  return make("section", { class: "without" },
    make("h2", {}, "Its output is not in this report"),
    make("p", {}, "A report holds both outputs of the deals that changed most, of each kind of change. " + (typed ? "This shows it whole:" : "A run that selects this deal shows it whole.")),
    typed ? make("pre", { class: "command" }, typed) : null);
}
