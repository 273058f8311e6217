// What the page knows, and what it remembers of its reader.

const data = JSON.parse(document.getElementById("data").textContent);
const word = (number) => data.words[number];

// Controls and text-direction overrides are shown, not obeyed; the mapping is Python's, so ids look alike everywhere.
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/;
const UNSAFE_UNIT = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const escaped = (unit) => {
  const code = unit.charCodeAt(0).toString(16);
  return code.length <= 2 ? "\\x" + code.padStart(2, "0") : "\\u" + code.padStart(4, "0");
};
const visible = (text) => (UNSAFE.test(text) ? text.replace(UNSAFE_UNIT, escaped) : text);
const printable = (text) => visible(text.replaceAll("\\", "\\\\"));
// A page of prose keeps its lines.
const prose = (text) => text.replace(UNSAFE_UNIT, (unit) => (unit === "\n" || unit === "\t" ? unit : escaped(unit)));

const CAUSES_OF = data.deals.map(() => []);
data.causes.forEach((cause, number) => cause.deals.forEach((place) => CAUSES_OF[place].push(number)));
const PLACE_OF = new Map(data.deals.map((deal, place) => [deal.id, place]));
const STATUS = (deal) => data.statuses[deal.status];

// Elements are made with text only: nothing that a deal says becomes markup.
function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A page opened from a disk may be refused storage; then decisions last as long as the page.
const storage = {
  get(key) {
    try { return localStorage.getItem(key); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, value); } catch { /* kept in memory */ }
  },
};
const RUN_KEY = `dealsnap:${data.report.started_at}:${data.report.database}`;
