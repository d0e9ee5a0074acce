// Draws the figures of the page with Plotly. A figure names the tokens of tokens.css as colours
// ("chart-1", "chart-grid", "chart-1/20" for 20 % of it); they are resolved here for the theme.
(() => {
  "use strict";
  const PHONE = matchMedia("(max-width: 47.99rem)");
  const TOKEN = /^([a-z][a-z0-9-]*)(?:\/(\d{1,3}))?$/;
  const figures = new WeakMap(); // element → figure as it came, tokens unresolved

  // The probe lets the browser resolve light-dark() and var() to one colour.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.documentElement.append(probe);

  function resolveColour(value) {
    const match = TOKEN.exec(value);
    const token = match && `--${match[1]}`;
    if (!token || !getComputedStyle(document.documentElement).getPropertyValue(token)) return value;
    probe.style.color = `var(${token})`;
    const colour = getComputedStyle(probe).color;
    if (!match[2]) return colour;
    return colour.replace(/^rgba?\((\d+), (\d+), (\d+).*\)$/, `rgba($1, $2, $3, ${Number(match[2]) / 100})`);
  }

  // Only values under a key that speaks of colour: a label may well be called "text" or "line".
  function resolve(value, isColour) {
    if (typeof value === "string") return isColour ? resolveColour(value) : value;
    if (Array.isArray(value)) return value.map((one) => resolve(one, isColour));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, resolve(one, /colou?r/i.test(key) || (isColour && key !== "text"))]),
    );
  }

  function withDefaults(defaults, given = {}) {
    const merged = { ...defaults, ...given };
    for (const [key, value] of Object.entries(defaults)) {
      const isPlain = value !== null && typeof value === "object" && !Array.isArray(value);
      if (isPlain && given[key] && typeof given[key] === "object") merged[key] = withDefaults(value, given[key]);
    }
    return merged;
  }

  function defaultAxis(isVertical) {
    return {
      showgrid: isVertical, gridcolor: "chart-grid", zeroline: false, showline: false, ticks: "",
      fixedrange: true, automargin: true, tickfont: { size: 12, color: "chart-text" },
      ...(PHONE.matches ? { nticks: 4 } : {}),
    };
  }

  function layoutOf(element, given) {
    const style = getComputedStyle(document.documentElement);
    const layout = withDefaults(
      {
        autosize: true, dragmode: false, showlegend: false, hovermode: "closest",
        paper_bgcolor: "rgba(0, 0, 0, 0)", plot_bgcolor: "rgba(0, 0, 0, 0)",
        font: { family: style.getPropertyValue("--font").trim(), size: 12, color: "chart-text" },
        margin: { l: 48, r: 16, t: 12, b: 32 },
        colorway: ["chart-1", "chart-2", "chart-3", "chart-4"],
        hoverlabel: { bgcolor: "surface-raised", bordercolor: "line-strong", font: { color: "text", size: 12 } },
      },
      given,
    );
    // The look comes from the tokens alone; height comes from the style sheet.
    delete layout.template;
    delete layout.width;
    for (const axis of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))])) {
      layout[axis] = withDefaults(defaultAxis(axis.startsWith("y")), layout[axis]);
    }
    layout.height = PHONE.matches ? 240 : element.clientHeight || 280;
    return resolve(layout, false);
  }

  function draw(element, width = 0) {
    const figure = figures.get(element);
    const config = { displayModeBar: false, responsive: true, showTips: false, doubleClick: false };
    const layout = layoutOf(element, figure.layout);
    if (width) Object.assign(layout, { autosize: false, width });
    return window.Plotly.react(element, resolve(figure.data, false), layout, config);
  }

  async function read(element) {
    if (element.dataset.chartUrl) {
      const answer = await fetch(element.dataset.chartUrl, {
        headers: { Accept: "application/json" }, credentials: "same-origin",
      });
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      return answer.json();
    }
    return JSON.parse(document.getElementById(element.dataset.chartSource).textContent);
  }

  function admitFailure(element, error) {
    console.error(error);
    const sentence = document.createElement("p");
    sentence.className = "muted small";
    sentence.textContent = "The chart could not be drawn. The figures behind it are in the table below.";
    element.removeAttribute("role");
    element.removeAttribute("aria-label");
    element.replaceChildren(sentence);
    element.closest("figure")?.querySelector("details.twin")?.setAttribute("open", "");
  }

  async function start(element) {
    if (element.dataset.chartState) return;
    element.dataset.chartState = "loading";
    element.setAttribute("aria-busy", "true");
    try {
      figures.set(element, await read(element));
      await draw(element);
      element.dataset.chartState = "drawn";
      element.closest("figure")?.querySelector("[data-chart-images]")?.removeAttribute("hidden");
    } catch (error) {
      element.dataset.chartState = "failed";
      admitFailure(element, error);
    } finally {
      element.removeAttribute("aria-busy");
    }
  }

  // What the image says of itself: the finding above the chart, below it what the page was asked.
  function stamped(element) {
    const figure = figures.get(element);
    const layout = layoutOf(element, figure.layout);
    const frame = element.closest("figure");
    const told = [frame?.querySelector("figcaption h2"), frame?.querySelector("figcaption p")].map((one) => one?.textContent.trim() ?? "");
    const stamp = document.querySelector("[data-export-stamp]")?.dataset.exportStamp ?? "";
    const text = (words, place) => ({ text: words.replaceAll("<", "&lt;"), xref: "paper", yref: "paper", x: 0, showarrow: false, xanchor: "left", align: "left", ...place });
    layout.width = 960;
    layout.height = 480;
    layout.paper_bgcolor = layout.plot_bgcolor = resolveColour("surface");
    layout.margin = { ...layout.margin, t: 72, b: 88 };
    layout.annotations = [
      ...(layout.annotations ?? []),
      text(told[0], { y: 1, yanchor: "bottom", yshift: 34, font: { size: 16, color: resolveColour("text") } }),
      text(told[1], { y: 1, yanchor: "bottom", yshift: 12, font: { size: 12, color: resolveColour("text-muted") } }),
      text(stamp, { y: 0, yanchor: "top", yshift: -62, font: { size: 10, color: resolveColour("text-muted") } }),
    ];
    return { data: resolve(figure.data, false), layout };
  }

  // Plotly makes a PNG by way of a blob, which the content policy does not let in; a data: address it does.
  async function makeImage(element, format) {
    const svg = await window.Plotly.toImage(stamped(element), { format: "svg", width: 960, height: 480, imageDataOnly: true });
    if (format === "svg") return new Blob([svg], { type: "image/svg+xml" });
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 1920, height: 960 });
    canvas.getContext("2d").drawImage(image, 0, 0, 1920, 960);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  async function download(button) {
    const element = button.closest("figure").querySelector("[data-chart]");
    const format = button.dataset.chartImage;
    const address = URL.createObjectURL(await makeImage(element, format));
    const link = Object.assign(document.createElement("a"), { href: address, download: `${element.closest("figure").id}.${format}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-image]");
    if (!button) return;
    download(button).catch((error) => {
      console.error(error);
      button.textContent = "The image could not be made";
    });
  });

  const drawn = () => document.querySelectorAll('[data-chart][data-chart-state="drawn"]');
  const startWithin = (part) => part.querySelectorAll("[data-chart]").forEach(start);

  document.addEventListener("throughline:theme", () => drawn().forEach((one) => draw(one)));
  // A chart keeps the width it was drawn for, so one wider than the paper is drawn anew for it.
  addEventListener("beforeprint", () => {
    for (const one of drawn()) {
      const isBeside = one.closest(".split.even") !== null;
      const paper = one.closest('[data-print="wide"]') ? 1024 : 680; // px inside of the margins of A4
      draw(one, isBeside ? (paper - 24) / 2 : paper);
    }
  });
  addEventListener("afterprint", () => drawn().forEach((one) => draw(one)));
  PHONE.addEventListener("change", () => drawn().forEach((one) => draw(one)));
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches?.("[data-chart]")) start(event.detail.elt);
    startWithin(event.detail.elt);
  });
  startWithin(document);
})();
