// What the reader decides, by cause or by deal: kept for this run, exported as a file for `dealsnap accept`.

const decisions = new Map(Object.entries(JSON.parse(storage.get(RUN_KEY) || "{}")));
const decisionKey = (kind, id) => `${kind}:${id}`;
const CHOICES = [["", "undecided"], ["ledger", "accept, into the ledger"], ["baseline", "accept, as the new baseline"], ["reject", "reject"]];

function decisionMark(kind, id) {
  const decision = decisions.get(decisionKey(kind, id));
  return decision && decision.choice ? make("span", { class: `mark ${decision.choice === "reject" ? "rejected" : "taken"}` },
    decision.choice === "reject" ? "rejected" : "accepted") : null;
}

function setDecision(kind, id, decision) {
  const empty = !decision.choice && !decision.note;
  if (empty) decisions.delete(decisionKey(kind, id));
  else decisions.set(decisionKey(kind, id), decision);
  storage.set(RUN_KEY, JSON.stringify(Object.fromEntries(decisions)));
  showDecisions();
}

let forms = 0;
function decisionForm(kind, id, title, ledger) {
  const now = decisions.get(decisionKey(kind, id)) || { choice: "", note: "", reason: "", ticket: "", expires: "" };
  const name = `form-${++forms}`;
  const input = (key, label, attributes) => make("label", { class: key }, make("span", {}, label),
    make("input", { name: key, value: now[key] || "", autocomplete: "off", ...attributes }));
  const form = make("form", { class: "decision", id: name, "aria-label": `Decide on ${title}` },
    make("fieldset", { class: "choices" }, make("legend", {}, "Decision"),
      ...CHOICES.filter(([choice]) => ledger || !["ledger", "baseline"].includes(choice)).map(([choice, text]) => make("label", {},
        make("input", { type: "radio", name: "choice", value: choice, checked: now.choice === choice }), text))),
    make("div", { class: "why" }, input("reason", "Reason", { placeholder: "why this is right" }), input("ticket", "Ticket", { placeholder: "optional" }),
      input("expires", "Counts until", { type: "date" })),
    input("note", "Note", { placeholder: "for whoever reads the file" }));
  const sync = () => {
    const values = Object.fromEntries(new FormData(form));
    form.querySelector(".why").hidden = values.choice !== "ledger" && values.choice !== "baseline";
    const reason = form.elements.reason;
    reason.required = ["ledger", "baseline"].includes(values.choice);
    form.elements.note.required = values.choice === "reject";
    return values;
  };
  form.addEventListener("input", () => setDecision(kind, id, sync()));
  form.addEventListener("submit", (event) => event.preventDefault());
  sync();
  return form;
}

function reasoned(decision) {
  return Boolean((decision.reason || "").trim() || (decision.note || "").trim());
}

function exported() {
  const text = (value) => (value && value.trim() ? value.trim() : null);
  const entries = [...decisions].filter(([, decision]) => decision.choice && reasoned(decision)).map(([key, decision]) => {
    const at = key.indexOf(":");
    return {
      [key.slice(0, at)]: key.slice(at + 1),
      decision: decision.choice === "reject" ? "reject" : "accept",
      into: decision.choice === "reject" ? null : decision.choice,
      note: text(decision.note) || "",
      reason: text(decision.reason) || text(decision.note) || "",
      ticket: text(decision.ticket),
      expires: text(decision.expires),
    };
  });
  return { format: 1, report: data.report, decisions: entries };
}

function showDecisions() {
  const made = [...decisions.values()].filter((decision) => decision.choice);
  const lacking = made.filter((decision) => !reasoned(decision)).length;
  field("decisions").hidden = !made.length;
  field("decisions").querySelector("p").textContent = `${made.length} ${made.length === 1 ? "decision" : "decisions"}`
    + (lacking ? `, ${lacking} without a reason, not exported` : "");
  document.querySelectorAll("#causes .cause").forEach((item) => {
    const cause = data.causes[Number(item.dataset.cause)], mark = decisionMark("cause", cause.id);
    const summary = item.querySelector("summary");
    if (summary) summary.replaceChildren(mark || "Decide");
  });
}

function setUpDecisions() {
  document.querySelectorAll("#causes .cause").forEach((item) => {
    const cause = data.causes[Number(item.dataset.cause)], place = item.querySelector(".decide");
    if (data.capture || cause.weight !== "fails") return;
    const body = make("details", {}, make("summary", { "aria-label": `Decide on ${cause.title}` }, "Decide"));
    body.addEventListener("toggle", () => {
      if (body.open && !body.querySelector("form")) body.append(decisionForm("cause", cause.id, cause.title, cause.ledger));
    });
    place.append(body);
  });
  field("export").addEventListener("click", () => {
    download("dealsnap-decisions.json", "application/json", JSON.stringify(exported(), null, 2) + "\n");
  });
  field("forget").addEventListener("click", () => {
    if (!confirm(`Discard ${field("decisions").querySelector("p").textContent}?`)) return;
    decisions.clear();
    storage.set(RUN_KEY, "{}");
    document.querySelectorAll("form.decision").forEach((form) => form.remove());
    document.querySelectorAll(".decide details").forEach((body) => { body.open = false; });
    showDecisions();
    route();
  });
  showDecisions();
}
