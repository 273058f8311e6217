// The help text follows the choice of a deal type. Without this script, all three texts stand there.
(() => {
  "use strict";
  const form = document.getElementById("deal-form");
  const nothing = document.getElementById("type-help-none");
  const helps = form.querySelectorAll(".help");
  const months = document.getElementById("tsa_months-field");

  function follow() {
    const chosen = new FormData(form).get("deal_type");
    nothing.hidden = Boolean(chosen);
    for (const help of helps) help.hidden = help.dataset.type !== chosen;
    // What is filled in stays in sight, whatever the type.
    months.hidden = chosen !== "carveout" && !document.getElementById("tsa_months").value;
  }

  form.addEventListener("change", follow);
  follow();
  document.getElementById("problems")?.focus();
})();
