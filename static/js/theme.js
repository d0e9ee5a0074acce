// Loaded in the head without defer, so that the chosen theme is there before the first paint.
(() => {
  try {
    const chosen = localStorage.getItem("throughline-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Without storage the theme of the system holds.
  }
})();
