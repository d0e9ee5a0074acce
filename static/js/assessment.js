// Answers of an assessment survive a lost connection: kept in this browser, sent when it is back.
(() => {
  "use strict";
  const told = document.getElementById("kept");
  if (!told) return;
  const KEY = `throughline-answers:${told.dataset.keep}`;
  const RETRY_MILLISECONDS = 5000;
  let isSending = false;
  let timer;

  // Each address holds the newest answer given there: {address: {fields, at}}.
  function readKept() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      return {};
    }
  }

  function writeKept(kept) {
    try {
      if (Object.keys(kept).length) localStorage.setItem(KEY, JSON.stringify(kept));
      else localStorage.removeItem(KEY);
      return true;
    } catch {
      return false;
    }
  }

  function tell(text, status) {
    told.textContent = text;
    if (status) told.dataset.status = status;
    else delete told.dataset.status;
    told.classList.toggle("mark", Boolean(status));
  }

  function tellKept() {
    const count = Object.keys(readKept()).length;
    if (!count) return;
    const answers = count === 1 ? "1 answer is" : `${count} answers are`;
    tell(`No connection. ${answers} kept in this browser and sent when it is back.`, "warned");
  }

  function findForm(address) {
    return [...document.querySelectorAll(".statement form[hx-post]")].find(
      (form) => form.getAttribute("hx-post") === address,
    );
  }

  function tellAt(form, text) {
    const place = form?.querySelector(".saved");
    if (place) place.textContent = text;
  }

  function keep(form) {
    const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    const kept = readKept();
    kept[form.getAttribute("hx-post")] = { fields, at: Date.now() };
    if (!writeKept(kept)) {
      tell("No connection, and this browser keeps nothing. The last answer was not saved: answer again once the connection is back.", "failed");
      return;
    }
    tellAt(form, "Kept in this browser");
    tellKept();
    retryLater();
  }

  function retryLater() {
    clearTimeout(timer);
    timer = setTimeout(send, RETRY_MILLISECONDS);
  }

  function findToken() {
    return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  }

  // True where the answer needs no further attempt.
  async function sendOne(address, { fields }) {
    const answer = await fetch(address, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-CSRFToken": findToken(), "HX-Request": "true" },
      redirect: "manual",
    });
    // Refusals of an answer come as 409 or 422; 403 is of the page's own token, which is old.
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
      throw new Error("You are signed out, or this page is old. Load it again and sign in if asked; the answers stay in this browser until then.");
    }
    if (answer.status >= 500 || answer.status === 429) return false;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    const said = part.querySelector(".error, .mark")?.textContent.trim();
    tellAt(findForm(address), said ?? "");
    if (!answer.ok) tell(said ?? "An answer that was kept here was refused; answer it again.", "failed");
    return true;
  }

  async function send() {
    if (isSending) return;
    isSending = true;
    const wasRefused = () => told.dataset.status === "failed";
    try {
      for (const [address, one] of Object.entries(readKept())) {
        if (!(await sendOne(address, one))) break;
        const kept = readKept();
        // A newer answer given meanwhile stays.
        if (kept[address]?.at === one.at) delete kept[address];
        writeKept(kept);
      }
      const left = Object.keys(readKept()).length;
      if (left) {
        tellKept();
        retryLater();
      } else if (!wasRefused()) {
        tell("The connection is back. All answers are saved.", "passed");
      }
    } catch (error) {
      if (error instanceof TypeError) tellKept();
      else tell(error.message, "warned");
      retryLater();
    } finally {
      isSending = false;
    }
  }

  function putBack() {
    const kept = readKept();
    for (const [address, { fields }] of Object.entries(kept)) {
      const form = findForm(address);
      if (!form) continue;
      for (const [name, value] of fields) {
        const field = form.elements.namedItem(name);
        if (field) field.value = value;
      }
      tellAt(form, "Kept in this browser");
    }
    if (Object.keys(kept).length) {
      tellKept();
      send();
    }
  }

  function onFailure(event) {
    const form = event.detail.elt;
    if (form.matches?.(".statement form")) keep(form);
  }

  // Who is signed out is led to the sign-in page; that is no answer to what was sent.
  function wentElsewhere({ xhr, elt }) {
    return Boolean(xhr?.responseURL) && new URL(xhr.responseURL).pathname !== elt.getAttribute("hx-post");
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const form = requestConfig?.elt;
    if (!form?.matches?.(".statement form") || !wentElsewhere({ xhr, elt: form })) return;
    event.detail.shouldSwap = false;
    keep(form);
    send();
  });
  document.addEventListener("htmx:sendError", onFailure);
  document.addEventListener("htmx:timeout", onFailure);
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (status >= 500 || status === 403) onFailure(event);
    if (status === 403) send();
  });
  // An answer that reached the server takes the place of one kept before it.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !event.detail.elt.matches?.(".statement form")) return;
    if (wentElsewhere(event.detail)) return;
    const kept = readKept();
    const address = event.detail.elt.getAttribute("hx-post");
    if (!(address in kept)) return;
    delete kept[address];
    writeKept(kept);
    if (Object.keys(kept).length) send();
    else tell("The connection is back. All answers are saved.", "passed");
  });
  addEventListener("online", send);
  addEventListener("offline", () => tell("No connection. What you answer is kept in this browser.", "warned"));
  putBack();
})();
