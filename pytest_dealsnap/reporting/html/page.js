// Which part of the page is shown, its colours, and its keys.

function route() {
  const hash = location.hash;
  if (hash.startsWith("#deal=")) {
    const place = PLACE_OF.get(decoded(hash.slice(6)));
    if (place !== undefined) return showDeal(place);
  }
  if (hash === "#sheet") return showSheet();
  const back = field("deal").hidden ? null : document.title;
  field("deal").hidden = true;
  field("deal").replaceChildren();
  field("sheet").hidden = true;
  field("sheet").replaceChildren();
  field("overview").hidden = false;
  document.title = TITLE;
  if (hash.startsWith("#cause=")) {
    const number = data.causes.findIndex((cause) => cause.id === decoded(hash.slice(7)));
    if (number >= 0) {
      filterByCause(String(number));
      field("deals").scrollIntoView();
    }
    return;
  }
  if (hash.startsWith("#deals?")) {
    takeView(hash.slice(7));
    field("deals").scrollIntoView();
  } else showPage();
  const target = hash.length > 1 && document.getElementById(decoded(hash.slice(1)));
  if (target) target.scrollIntoView();
  if (back !== null && last !== null) focusRow(last);
}

const TITLE = document.title;
let last = null;
const decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } };

function focusRow(place) {
  const at = view.places.indexOf(place);
  if (at < 0) return;
  view.page = Math.floor(at / PAGE);
  showPage();
  const link = document.querySelector(`#table tr[data-place="${place}"] a`);
  link.focus();
  link.scrollIntoView({ block: "center" });
}

function setUpTheme() {
  const themes = ["auto", "light", "dark"], button = field("theme");
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.querySelector("span").textContent = theme;
    button.setAttribute("aria-label", `Colours: ${theme}`);
  };
  let theme = themes.includes(storage.get("dealsnap:theme")) ? storage.get("dealsnap:theme") : "auto";
  apply(theme);
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    storage.set("dealsnap:theme", theme);
    apply(theme);
  });
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const typing = event.target.closest("input:not([type=radio]), select, textarea");
  const reading = !field("deal").hidden, signing = !field("sheet").hidden;
  if (event.key === "Escape") {
    if (typing) typing.blur();
    else if (reading) location.hash = viewHash();
    else if (signing) location.hash = "#top";
    return;
  }
  if (typing || signing || event.target.closest("[type=radio]")) return;
  const follow = (key) => field("deal").querySelector(`a[data-key="${key}"]`)?.click();
  const inTable = event.target.closest("#table tbody");
  const moves = { j: 1, k: -1 };
  if (inTable) Object.assign(moves, { ArrowDown: 1, ArrowUp: -1 });
  if (reading) Object.assign(moves, { ArrowRight: 1, ArrowLeft: -1 });
  if (event.key === "/") {
    if (reading) location.hash = viewHash();
    setTimeout(() => { field("search").focus(); field("search").select(); });
  } else if (moves[event.key] && reading) follow(moves[event.key] > 0 ? "next" : "prev");
  else if (moves[event.key]) step(moves[event.key]);
  else return;
  event.preventDefault();
}

document.documentElement.classList.add("scripts");
setUpTheme();
setUpTable();
showPlot();
setUpCopying();
setUpDecisions();
addEventListener("hashchange", (event) => {
  const before = new URL(event.oldURL).hash;
  last = before.startsWith("#deal=") ? PLACE_OF.get(decoded(before.slice(6))) ?? null : null;
  route();
});
addEventListener("keydown", onKey);
route();
