// What a reader takes along: ids and ready command lines by the clipboard, the listed deals as CSV.

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);
const typable = (text) => printable(text) === text;

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from a disk may have no clipboard of its own
    const area = make("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function copyButton(label, name, text) {
  return make("button", { type: "button", class: "quiet small copy", "aria-label": name, onclick: async (event) => {
    const button = event.currentTarget;
    await copyText(text());
    button.dataset.copied = text();
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  } }, label);
}

const reportPath = () => field("report-path").value.trim() || data.report_path;
const acceptLine = (option, id) => `dealsnap accept ${quoted(reportPath())} ${option} ${quoted(id)} --into ledger --reason 'WHY'`;

function causeTools(cause) {
  const ids = cause.deals.map((place) => data.deals[place].id).filter(typable);
  const tools = [copyButton("Copy ids", `Copy ids of ${cause.title}`, () => ids.join("\n"))];
  if (cause.weight === "fails" && cause.ledger && !data.capture) {
    tools.push(copyButton("Copy accept line", `Copy accept line of ${cause.title}`, () => acceptLine("--cause", cause.id)));
  }
  return make("p", { class: "tools" }, ...tools);
}

function dealTools(deal) {
  if (!typable(deal.id)) return null;
  const tools = [copyButton("Copy id", "Copy id of this deal", () => deal.id)];
  if (STATUS(deal) === "regressed") {
    tools.push(copyButton("Copy accept line", "Copy accept line of this deal", () => acceptLine("--deal", deal.id)));
  }
  return make("p", { class: "tools" }, ...tools);
}

// A text that a spreadsheet would take for a formula begins with an apostrophe.
const cellOfCsv = (text) => {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d,.]+( %)?$/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

function listedAsCsv() {
  const head = ["deal", "name", "type", "status", "metric", "baseline", "current", "change", "rule", "causes"];
  const lines = view.places.map((place) => {
    const deal = data.deals[place], main = view.main[place];
    const sides = main ? [word(main.label), main.baseline, main.current, main.change, word(main.rule)] : [deal.error || deal.reason || "", "", "", "", ""];
    const causes = CAUSES_OF[place].map((number) => data.causes[number].id).join(" ");
    return [printable(deal.id), printable(deal.name || ""), deal.types || visible(word(deal.type)), STATUS(deal), ...sides, causes];
  });
  return [head, ...lines].map((line) => line.map(cellOfCsv).join(",")).join("\r\n") + "\r\n";
}

function download(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function setUpCopying() {
  document.querySelectorAll("#causes .cause").forEach((item) => {
    item.querySelector(".what").append(causeTools(data.causes[Number(item.dataset.cause)]));
  });
  const path = field("report-path");
  path.placeholder = data.report_path;
  path.value = storage.get(RUN_KEY + ":report") || "";
  const line = () => { field("accept-all").textContent = `dealsnap accept ${quoted(reportPath())} --decisions dealsnap-decisions.json`; };
  path.addEventListener("input", () => {
    storage.set(RUN_KEY + ":report", path.value);
    line();
  });
  line();
  field("csv").addEventListener("click", () => download("dealsnap-deals.csv", "text/csv;charset=utf-8", "\ufeff" + listedAsCsv()));
}
