// Single-letter keys. They are off in fields, and can be turned off in the list of keys (WCAG 2.1.4).
(() => {
  "use strict";
  const SETTING = "throughline-single-keys";
  const ROWS = "main .worklist > li, main .table tbody tr, main [data-row]";
  let waitsForPage = false;

  function areOn() {
    try {
      return localStorage.getItem(SETTING) !== "off";
    } catch {
      return true;
    }
  }

  const linkIn = (row) => row.querySelector("a.title, a.cover, th a, a[href]");
  const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => linkIn(row) && row.checkVisibility());
  const currentRow = () => document.activeElement?.closest(ROWS) ?? null;

  function moveRow(step) {
    const all = rows();
    const index = all.indexOf(currentRow());
    const next = all[index < 0 ? (step > 0 ? 0 : all.length - 1) : index + step];
    if (!next) return;
    linkIn(next).focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function selectRow() {
    const box = currentRow()?.querySelector("input[type=checkbox]");
    if (box && !box.disabled) box.click();
  }

  function nextEvidence() {
    const links = [...document.querySelectorAll("main .evidence a")].filter((link) => link.checkVisibility());
    if (links.length === 0) return;
    links[(links.indexOf(document.activeElement) + 1) % links.length].focus();
  }

  function press(selector, within = document) {
    const button = [...within.querySelectorAll(selector)].find((one) => one.checkVisibility());
    if (!button || button.disabled || button.getAttribute("aria-disabled") === "true") return;
    button.focus();
    button.click();
  }

  function goTo(key) {
    const link = document.querySelector(`.nav a[data-key="${CSS.escape(key)}"]`);
    if (link) location.assign(link.href);
  }

  function search() {
    const field = document.getElementById("search");
    if (field?.checkVisibility()) field.focus();
    else document.querySelector(".bar a[aria-label=Search]")?.click();
  }

  const KEYS = {
    "/": search,
    "?": () => document.getElementById("shortcuts")?.showModal(),
    g: () => {
      waitsForPage = true;
      setTimeout(() => (waitsForPage = false), 1500);
    },
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: selectRow,
    // Only a button that opens a dialog: a key alone never decides.
    a: () => press('[data-shortcut="approve"][data-open]'),
    c: () => press("button.digest", currentRow() ?? document.querySelector("main") ?? document),
    e: nextEvidence,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !areOn()) return;
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (field && !["checkbox", "radio"].includes(field.type)) return;
    if (document.querySelector("dialog[open]")) return;
    if (waitsForPage) {
      waitsForPage = false;
      event.preventDefault();
      goTo(event.key);
    } else if (Object.hasOwn(KEYS, event.key)) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  const box = document.querySelector("[data-single-keys]");
  if (box) {
    box.checked = areOn();
    box.addEventListener("change", () => {
      try {
        localStorage.setItem(SETTING, box.checked ? "on" : "off");
      } catch {
        box.checked = true; // the choice cannot be kept, so it is not shown as kept
      }
    });
  }
})();
