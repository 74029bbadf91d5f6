// Comfort for the console: every page works without it. No inline handlers; everything listens on the document.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const on = (type, selector, act, options) => document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  }, options);

  // Theme: remembered in a cookie, so that the server can write it into the page; set here before the first paint.
  const remembered = () => document.cookie.match(/(?:^|; )theme=(light|dark)/)?.[1] ?? "system";
  const dress = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    all("[data-theme-set]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme)));
  };
  root.classList.add("js");
  if (!root.dataset.theme) dress(remembered());
  on("click", "[data-theme-set]", (button) => {
    const theme = button.dataset.themeSet;
    document.cookie = `theme=${theme}; path=/; max-age=${theme === "system" ? 0 : 31536000}; SameSite=Lax`;
    dress(theme);
  });

  // Keys: / goes to the search, Escape closes an open menu.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      all("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const search = document.getElementById("site-search") ?? document.getElementById("list-search");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  });
  document.addEventListener("click", (event) => {
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  // Toasts leave by themselves, but never while looked at; errors stay.
  const leave = (toast) => {
    toast.classList.add("is-leaving");
    setTimeout(() => toast.remove(), 300);
  };
  const watch = (toast) => {
    toast.dataset.watched = "yes";
    if ("stay" in toast.dataset) return;
    let timer;
    const start = () => { clearTimeout(timer); timer = setTimeout(() => leave(toast), 8000); };
    const stop = () => clearTimeout(timer);
    toast.addEventListener("pointerenter", stop);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("pointerleave", start);
    toast.addEventListener("focusout", start);
    start();
  };
  on("click", "[data-close-toast]", (button) => leave(button.closest(".toast")));

  // Unsaved changes: ask before leaving a guarded form that was touched and not sent.
  const touched = new Set();
  on("input", "form[data-guard]", (form) => touched.add(form));
  window.addEventListener("beforeunload", (event) => {
    if ([...touched].some((form) => form.isConnected)) event.preventDefault();
  });

  // One press is one request: the buttons sleep while the answer is on its way.
  const busy = (form, waiting) => {
    if (waiting) form.setAttribute("aria-busy", "true"); else form.removeAttribute("aria-busy");
    all("button[type=submit]", form).forEach((button) => { button.disabled = waiting; });
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog" || (form.method === "get" && !form.hasAttribute("data-once"))) return;
    if (!event.submitter?.formNoValidate) touched.delete(form);
    setTimeout(() => busy(form, true));
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.target.closest?.("form");
    if (form && !event.detail.ctx.keepIndicators) busy(form, false);
  });
  document.addEventListener("htmx:response:error", (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (form) touched.add(form);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) all("form[aria-busy]").forEach((form) => busy(form, false));
  });

  // Copy buttons copy the text of the element they name: words as one line, anything else without the spaces that group it.
  on("click", "[data-copy]", async (button) => {
    const text = document.getElementById(button.dataset.copy).textContent.trim().replace(/\s+/g, "words" in button.dataset ? " " : "");
    await navigator.clipboard.writeText(text);
    button.classList.add("is-copied");
    const name = button.getAttribute("aria-label");
    button.setAttribute("aria-label", "Copied");
    setTimeout(() => { button.classList.remove("is-copied"); button.setAttribute("aria-label", name); }, 2000);
  });

  // Ticked rows: the whole page at once, and how many.
  const picks = (form) => all(`.pick input[form="${form}"]`);
  const count = (form) => {
    const boxes = picks(form), ticked = boxes.filter((box) => box.checked).length;
    const page = document.querySelector(`[data-pick-page="${form}"]`);
    const everything = document.getElementById(`${form}-all`);
    if (page) { page.checked = ticked > 0 && ticked === boxes.length; page.indeterminate = ticked > 0 && ticked < boxes.length; }
    const number = everything?.checked ? everything.closest("label").textContent.match(/[\d,]+/)?.[0] : String(ticked);
    all(`[data-picked="${form}"], #${form} [data-picked=""]`).forEach((place) => { place.textContent = number; });
  };
  on("change", "[data-pick-page]", (box) => {
    picks(box.dataset.pickPage).forEach((one) => { one.checked = box.checked; });
    count(box.dataset.pickPage);
  });
  on("change", ".pick input[form]", (box) => count(box.getAttribute("form")));
  on("change", ".bulk-bar input", (box) => count(box.form.id));

  // Dialogs open by plain HTML; older browsers are helped here.
  if (!("commandForElement" in HTMLButtonElement.prototype)) {
    on("click", "[commandfor]", (button) => {
      const dialog = document.getElementById(button.getAttribute("commandfor"));
      if (button.getAttribute("command") === "show-modal") dialog.showModal(); else dialog.close();
    });
  }

  // A table that fits its place needs no scrolling of its own: its header may stay in sight, and Tab passes it by.
  const fit = () => all(".table-wrap--sticky").forEach((wrap) => {
    const fits = wrap.scrollWidth <= wrap.clientWidth;
    wrap.classList.toggle("is-fitting", fits);
    wrap.tabIndex = fits ? -1 : 0;
  });
  window.addEventListener("resize", fit);
  window.addEventListener("load", fit);

  // What arrives later, by the first load or by htmx: toasts to watch, the error summary to read.
  const settle = () => {
    dress(root.dataset.theme ?? "system");
    all(".toast:not([data-watched])").forEach(watch);
    all("form[data-guard]:has(.refusals)").forEach((form) => touched.add(form));
    fit();
  };
  document.addEventListener("DOMContentLoaded", settle);
  document.addEventListener("htmx:after:swap", () => {
    settle();
    document.querySelector(".refusals")?.focus();
  });
})();
