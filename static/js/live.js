// Live parts: elements with data-live that htmx polls, each swapped on its own.
// A part somebody works in is left alone, and a part that stands still says since when.
(() => {
  "use strict";
  const ALLOWED_MISSES = 2;
  const misses = new Map(); // id of a part → failures, or swaps held back, in a row
  let paused = false;
  let lastState = new Date();

  const partOf = (event) => event.detail.elt?.closest?.("[data-live]");
  const callout = () => document.getElementById("live-paused");

  function hasTypedText(part) {
    return [...part.querySelectorAll("input, textarea, select")].some((field) => {
      if (field.type === "hidden") return false;
      if (field.type === "checkbox" || field.type === "radio") {
        return field.checked !== field.defaultChecked;
      }
      if (field.matches("select")) {
        return [...field.options].some((option) => option.selected !== option.defaultSelected && option.defaultSelected);
      }
      return field.value !== field.defaultValue;
    });
  }

  function isInUse(part) {
    const focused = document.activeElement;
    const holdsFocus = focused !== document.body && part.contains(focused);
    return holdsFocus || hasTypedText(part) || part.querySelector("dialog[open]") !== null;
  }

  function showCallout(title) {
    const box = callout();
    if (!box) return;
    box.querySelector("[data-live-title]").textContent = title;
    const time = box.querySelector("[data-live-time]");
    time.dateTime = lastState.toISOString();
    time.textContent = lastState.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
    box.hidden = false;
  }

  function hideCallout() {
    const box = callout();
    if (box && !paused) box.hidden = true;
  }

  function countMiss(part) {
    const count = (misses.get(part.id) ?? 0) + 1;
    misses.set(part.id, count);
    return count;
  }

  function onFailure(event) {
    const part = partOf(event);
    if (!part || countMiss(part) < ALLOWED_MISSES) return;
    paused = true;
    showCallout("Live updates are paused.");
  }

  function resume() {
    paused = false;
    misses.clear();
    hideCallout();
    document.querySelectorAll("[data-live]").forEach((part) => {
      const url = part.getAttribute("hx-get");
      if (url) window.htmx.ajax("GET", url, { source: part, target: part, swap: part.getAttribute("hx-swap") ?? "outerHTML" });
    });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = partOf(event);
    // Only polls of the part itself pause; what a person presses inside it still goes out.
    if (part && part === event.detail.elt && (paused || document.hidden)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // The answer to what a person pressed is always shown; only polls give way.
    const part = event.detail.requestConfig?.elt;
    if (!part?.matches?.("[data-live]") || !event.detail.shouldSwap) return;
    if (isInUse(part)) {
      event.detail.shouldSwap = false;
      if (countMiss(part) >= ALLOWED_MISSES) showCallout("Live updates wait while you work in this part.");
      return;
    }
    misses.delete(part.id);
    lastState = new Date();
    hideCallout();
  });
  document.addEventListener("htmx:responseError", onFailure);
  document.addEventListener("htmx:sendError", onFailure);
  document.addEventListener("htmx:timeout", onFailure);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-live-resume]")) resume();
  });
  addEventListener("online", () => {
    if (paused) resume();
  });
})();
