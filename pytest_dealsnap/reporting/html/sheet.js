// The sheet to sign: every cause, every failed deal, what was decided, and room for names.

const FAILED = new Set(data.failing);

function showSheet() {
  const failed = data.deals.map((_, place) => place).filter((place) => FAILED.has(STATUS(data.deals[place])));
  const table = (name, heads, rows) => make("table", { class: "sheet" }, make("caption", { class: "hidden" }, name),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", { class: /\S{25}/.test(cell) ? "long" : null }, cell))))));
  const causes = data.causes.map((cause) => [cause.weight, cause.title + (cause.age ? ` (${cause.age})` : ""), cause.count, decisionWords("cause", cause.id)]);
  const deals = failed.map((place) => {
    const deal = data.deals[place], main = MAIN[place];
    const own = decisionWords("deal", deal.id);
    const by = CAUSES_OF[place].map((number) => decisionWords("cause", data.causes[number].id)).find((words) => words !== "open");
    return [printable(deal.id), printable(deal.name || ""), deal.types || visible(word(deal.type)), STATUS(deal),
      deal.error || (main ? describe(main) : ""), deal.error || !main ? "" : main.change, own === "open" ? by || own : own];
  });
  const line = (name) => make("div", {}, make("span", {}, name));
  field("sheet").replaceChildren(
    make("p", { class: "steps" }, make("a", { href: "#top" }, "↑ Back to the report"),
      make("button", { type: "button", onclick: () => print() }, "Print")),
    make("h1", {}, `Sign-off: ${data.verdict || document.querySelector("#top h1").textContent}`),
    make("p", {}, document.querySelector("#top .reason")?.textContent || ""),
    make("h2", {}, "What was compared"),
    document.querySelector("#origin .facts").cloneNode(true),
    make("h2", {}, `${causes.length.toLocaleString("en")} ${causes.length === 1 ? "cause" : "causes"}`),
    table("All causes", ["counts as", "what changed", "deals", "decision"], causes),
    make("h2", {}, `${failed.length.toLocaleString("en")} failed ${failed.length === 1 ? "deal" : "deals"}`),
    table("All failed deals", ["deal", "name", "type", "status", "what changed", "change", "decision"], deals),
    make("div", { class: "signatures" }, line("Name"), line("Date"), line("Signature"), line("Name"), line("Date"), line("Signature")),
  );
  field("overview").hidden = true;
  field("deal").hidden = true;
  field("sheet").hidden = false;
  scrollTo(0, 0);
}

function decisionWords(kind, id) {
  const decision = decisions.get(decisionKey(kind, id));
  if (!decision || !decision.choice) return "open";
  const words = { ledger: "accepted", baseline: "accepted as the new baseline", reject: "rejected" }[decision.choice];
  const why = (decision.reason || decision.note || "").trim();
  return words + (why ? `: ${why}` : "") + (decision.ticket ? ` (${decision.ticket})` : "");
}
