// What every page needs: theme, copying, dialogs, toasts, times. No inline handlers: one listener.
(() => {
  "use strict";
  const root = document.documentElement;
  const TOAST_MILLISECONDS = 6000;

  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Private windows may refuse; the choice then holds for this page.
    }
  }

  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function announceTheme() {
    document.dispatchEvent(new CustomEvent("throughline:theme"));
  }

  function toggleTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember("throughline-theme", root.dataset.theme);
    announceTheme();
  }

  function dismissLater(toast) {
    // Errors stay until somebody closes them.
    if (toast.dataset.status !== "failed") setTimeout(() => toast.remove(), TOAST_MILLISECONDS);
  }

  function showToast(status, text) {
    const toasts = document.getElementById("toasts");
    const template = document.getElementById(`toast-${status}`);
    if (!toasts || !template) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.querySelector("[data-text]").textContent = text;
    toasts.append(toast);
    dismissLater(toast);
  }

  async function writeToClipboard(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Plain http has no clipboard interface; the older command still works there.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr";
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) throw new Error("The browser refused to copy.");
  }

  async function copyFrom(button) {
    try {
      await writeToClipboard(button.dataset.copy);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1200);
      showToast("passed", `Copied ${button.dataset.copy.slice(0, 80)}`);
    } catch {
      showToast("failed", "Nothing was copied: the browser refused. Select the text and copy it by hand.");
    }
  }

  function openDialog(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    dialog.querySelector("[autofocus], textarea, input:not([type=hidden])")?.focus();
  }

  function toggleTime(time) {
    // A finger cannot hover: a tap shows the absolute time in place of the relative one.
    const shown = time.textContent;
    time.textContent = time.title;
    time.title = shown;
  }

  function onClick(event) {
    const find = (selector) => event.target.closest(selector);
    const copy = find("[data-copy]");
    const open = find("[data-open]");
    const time = find("time[title]");
    if (copy) copyFrom(copy);
    else if (open) openDialog(open.dataset.open);
    else if (find("[data-close]")) find("dialog")?.close();
    else if (find("[data-toggle-theme]")) toggleTheme();
    else if (find("[data-dismiss]")) find(".toast")?.remove();
    else if (find("[data-print]")?.matches("button")) print();
    else if (event.target.matches("dialog")) closeFromBackdrop(event);
    else if (time && !time.closest("a, button") && matchMedia("(pointer: coarse)").matches) {
      toggleTime(time);
    } else if (find("[aria-disabled=true]")) event.preventDefault();
  }

  function closeFromBackdrop(event) {
    const box = event.target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right &&
      event.clientY >= box.top && event.clientY <= box.bottom;
    // Typed text is never thrown away by a stray click.
    const typed = [...event.target.querySelectorAll("textarea, input")].some(
      (field) => field.type !== "hidden" && field.value !== field.defaultValue,
    );
    if (!inside && !typed) event.target.close();
  }

  function onSubmit(event) {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault(); // a second press must not decide twice
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  }

  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form?.requestSubmit();
  });
  // Answers of htmx requests may carry HX-Trigger: {"toast": {"status": …, "text": …}}.
  document.addEventListener("toast", (event) => showToast(event.detail.status, event.detail.text));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announceTheme);

  // Paper is always light; charts have to be drawn again for it.
  let themeBeforePrint;
  addEventListener("beforeprint", () => {
    themeBeforePrint = root.dataset.theme ?? "";
    root.dataset.theme = "light";
    announceTheme();
  });
  addEventListener("afterprint", () => {
    if (themeBeforePrint) root.dataset.theme = themeBeforePrint;
    else delete root.dataset.theme;
    announceTheme();
  });

  document.querySelectorAll("#toasts .toast").forEach(dismissLater);
  document.querySelector("main [aria-invalid=true]")?.focus();
})();
