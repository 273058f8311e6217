// The table of deals: what is filtered and sorted is a list of numbers; only one page of it is in the document.

const PAGE = 50;
const SEVERITY = ["regressed", "errored", "missing", "accepted", "new", "changed", "matched"];
const field = (id) => document.getElementById(id);
const view = { sort: "worst", down: false, page: 0, places: [], main: [] };

const TEXTS = data.deals.map((deal) => [deal.id, deal.name, deal.types, deal.error, deal.reason, deal.corrupt]
  .filter(Boolean).join("\n").toLocaleLowerCase());
const MAIN = data.deals.map((deal) => mainFinding(deal, ""));
const sizeOf = (finding) => (finding ? Math.abs(finding.percent || 0) : -1);
const RANKS = data.deals.map((deal) => SEVERITY.indexOf(STATUS(deal)));
const ORDERS = {
  worst: (a, b) => RANKS[a] - RANKS[b] || sizeOf(view.main[b]) - sizeOf(view.main[a]),
  id: () => 0,
  name: (a, b) => (data.deals[a].name || "").localeCompare(data.deals[b].name || ""),
  type: (a, b) => data.types.indexOf(word(data.deals[a].type)) - data.types.indexOf(word(data.deals[b].type)),
  status: (a, b) => RANKS[a] - RANKS[b],
  change: (a, b) => sizeOf(view.main[b]) - sizeOf(view.main[a]),
};

// Any other column is sorted by its field: numbers by size, texts by the alphabet, absent ones last.
const byField = (key) => (a, b) => {
  const [left, right] = [data.deals[a][key], data.deals[b][key]];
  if (left === undefined || right === undefined) return (left === undefined) - (right === undefined);
  return typeof left === "number" ? left - right : left.localeCompare(right);
};

// What a deal is listed by: its largest change, of those that fail it where one does, and of one metric or cause if asked for.
function mainFinding(deal, metric) {
  let main = null;
  for (const finding of deal.findings || []) {
    const counts = metric === "" ? finding.gates || !deal.findings[0].gates : finding.metric === Number(metric);
    if (counts && (!main || Math.abs(finding.percent || 0) > Math.abs(main.percent || 0))) main = finding;
  }
  return main;
}

function filtered() {
  const wanted = field("search").value.trim().toLocaleLowerCase();
  const status = field("by-status").value, type = field("by-type").value;
  const metric = field("by-metric").value, cause = field("by-cause").value;
  const members = cause === "" ? null : new Set(data.causes[Number(cause)].deals);
  const fits = (deal, place) => (!wanted || TEXTS[place].includes(wanted))
    && (!status || (status === "failing" ? data.failing.includes(STATUS(deal)) : STATUS(deal) === status))
    && (!type || word(deal.type) === type)
    && (!metric || (deal.findings || []).some((finding) => finding.metric === Number(metric)))
    && (!members || members.has(place));
  const listed = metric !== "" || cause === "" ? metric : data.words.indexOf(data.causes[Number(cause)].metric);
  view.main = listed === "" ? MAIN : data.deals.map((deal) => mainFinding(deal, listed));
  const places = [];
  data.deals.forEach((deal, place) => { if (fits(deal, place)) places.push(place); });
  const order = ORDERS[view.sort] || byField(view.sort);
  places.sort((a, b) => (view.down ? order(b, a) : order(a, b)) || (view.sort === "id" && view.down ? b - a : a - b));
  return places;
}

function refresh() {
  view.places = filtered();
  view.page = 0;
  showPage();
}

// What is filtered, searched and sorted stands in the address, so that a link shows the same list.
const FILTERS = { q: "search", status: "by-status", type: "by-type", metric: "by-metric", cause: "by-cause" };
const nameOf = { metric: (value) => word(Number(value)), cause: (value) => data.causes[Number(value)].id };
const valueOf = {
  metric: (name) => String(data.words.indexOf(name)),
  cause: (id) => String(data.causes.findIndex((cause) => cause.id === id)),
};

function viewHash() {
  const asked = new URLSearchParams();
  for (const [key, id] of Object.entries(FILTERS)) {
    const value = field(id).value;
    if (value) asked.set(key, nameOf[key] ? nameOf[key](value) : value);
  }
  if (view.sort !== "worst") asked.set("sort", view.sort);
  if (view.down) asked.set("down", "1");
  if (view.page) asked.set("page", String(view.page + 1));
  const text = asked.toString();
  return text ? `#deals?${text}` : "#deals";
}

function takeView(text) {
  const asked = new URLSearchParams(text);
  for (const [key, id] of Object.entries(FILTERS)) {
    const value = asked.get(key) ?? "";
    field(id).value = value && valueOf[key] ? valueOf[key](value) : value;
  }
  view.sort = data.columns.some((column) => column.sorts !== false && column.key === asked.get("sort")) ? asked.get("sort") : "worst";
  view.down = asked.get("down") === "1";
  refresh();
  view.page = Number(asked.get("page") || 1) - 1 || 0;
  showPage();
}

const remember = () => history.replaceState(null, "", viewHash());

function asked() {
  refresh();
  remember();
}

function showPage() {
  const pages = Math.max(Math.ceil(view.places.length / PAGE), 1);
  view.page = Math.min(Math.max(view.page, 0), pages - 1);
  const first = view.page * PAGE, shown = view.places.slice(first, first + PAGE);
  field("table").tBodies[0].replaceChildren(...shown.map(row));
  const among = view.places.length === data.deals.length ? "" : ` (of ${data.deals.length.toLocaleString("en")})`;
  const count = view.places.length.toLocaleString("en");
  field("shown").textContent = shown.length
    ? `${(first + 1).toLocaleString("en")}–${(first + shown.length).toLocaleString("en")} of ${count} ${view.places.length === 1 ? "deal" : "deals"}${among}`
    : `No deal fits${among}`;
  field("earlier").disabled = view.page === 0;
  field("later").disabled = view.page >= pages - 1;
  field("csv").disabled = !shown.length;
  for (const head of field("table").tHead.rows[0].cells) {
    if (!head.dataset.sort) continue;
    const active = head.dataset.sort === view.sort;
    if (active) head.setAttribute("aria-sort", view.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

const linkTo = (place) => `#deal=${encodeURIComponent(data.deals[place].id.toWellFormed())}`;

function row(place) {
  const deal = data.deals[place], main = view.main[place];
  const cells = data.columns.map((column) => (CELLS[column.key] || plainCell)(deal, main, place, column));
  return make("tr", { "data-place": place, class: STATUS(deal) }, ...cells);
}

// Columns that are more than the text of a deal's own field; data.columns says which there are, and in what order.
const CELLS = {
  id: (deal, main, place, column) => make("td", { class: column.css },
    make("a", { href: linkTo(place), title: printable(deal.id) }, printable(deal.id) || "(empty id)"),
    make("span", { class: "narrow" }, printable(deal.name || ""))),
  name: (deal, main, place, column) => textCell(column, printable(deal.name || "")),
  type: (deal, main, place, column) => make("td", { class: column.css }, deal.types || visible(word(deal.type))),
  status: (deal) => make("td", {}, make("span", { class: `badge ${STATUS(deal)}` }, STATUS(deal)), decisionMark("deal", deal.id)),
  what: (deal, main, place, column) => textCell(column, deal.error || (main ? describe(main) : deal.reason || "")),
  change: (deal, main, place, column) => make("td", { class: column.css }, deal.error || !main ? "" : main.change),
};
const textCell = (column, text) => make("td", { class: column.css, title: text }, text);
const plainCell = (deal, main, place, column) => textCell(column, visible(String(deal[column.key] ?? "")));

function describe(finding) {
  const sides = [finding.baseline, finding.current].filter(Boolean);
  return word(finding.label) + (sides.length ? ` ${sides.join(" → ")}` : "");
}

function filterByCause(number) {
  for (const id of ["by-status", "by-type", "by-metric", "search"]) field(id).value = "";
  field("by-cause").value = number;
  refresh();
}

function setUpTable() {
  const options = (id, all, entries) => field(id).append(make("option", { value: "" }, all),
    ...entries.map(([value, text]) => make("option", { value }, text.length > 70 ? text.slice(0, 69) + "…" : text)));
  const there = new Set(data.deals.map(STATUS));
  const failing = data.failing.some((status) => there.has(status)) ? [["failing", "all that fail"]] : [];
  options("by-status", "any", [...failing, ...SEVERITY.filter((status) => there.has(status)).map((status) => [status, status])]);
  options("by-type", "any", data.types.map((type) => [type, visible(type)]));
  const metrics = new Set(data.deals.flatMap((deal) => (deal.findings || []).map((finding) => finding.metric)));
  options("by-metric", "any", [...metrics].map((metric) => [metric, visible(word(metric))]).sort((a, b) => (a[1] < b[1] ? -1 : 1)));
  options("by-cause", "any", data.causes.map((cause, number) => [number, `${cause.title} (${cause.count})`]));
  field("filters").addEventListener("input", asked);
  field("filters").addEventListener("submit", (event) => event.preventDefault());
  field("filters").addEventListener("reset", (event) => {
    event.preventDefault();
    filterByCause("");
    remember();
  });
  field("table").tHead.addEventListener("click", (event) => {
    const sort = event.target.closest("th[data-sort]")?.dataset.sort;
    if (!sort) return;
    view.down = view.sort === sort ? !view.down : false;
    view.sort = sort;
    asked();
  });
  field("table").tBodies[0].addEventListener("click", (event) => {
    const line = event.target.closest("tr");
    if (line && !event.target.closest("a") && !getSelection().toString()) location.hash = linkTo(Number(line.dataset.place));
  });
  field("earlier").addEventListener("click", () => { view.page--; showPage(); remember(); });
  field("later").addEventListener("click", () => { view.page++; showPage(); remember(); });
  refresh();
}

// Moves the focus to the next or previous deal, over the ends of a page.
function step(by) {
  const links = [...field("table").tBodies[0].querySelectorAll("a")];
  const at = links.indexOf(document.activeElement?.closest?.("tr")?.querySelector("a"));
  let to = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
  if (to < 0 || to >= links.length) {
    const page = view.page + by;
    if (page < 0 || page * PAGE >= view.places.length) return;
    view.page = page;
    showPage();
    to = by > 0 ? 0 : PAGE - 1;
  }
  const link = [...field("table").tBodies[0].querySelectorAll("a")][to];
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
}
