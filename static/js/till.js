// The till: says when there is no connection, lets the Undo bar drain, keeps the field ready for the scanner.
(() => {
  "use strict";
  const notice = () => document.querySelector("[data-offline]");
  const tell = () => { const found = notice(); if (found) found.hidden = navigator.onLine; };
  window.addEventListener("online", tell);
  window.addEventListener("offline", tell);
  document.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    tell();
  }, true);

  const drain = (form) => {
    const bar = form.querySelector("progress");
    const ends = performance.now() + Number(form.dataset.undo) * 1000;
    const step = () => {
      const left = Math.max(0, (ends - performance.now()) / 1000);
      bar.value = left;
      if (left === 0) form.remove(); else setTimeout(step, 250);
    };
    step();
  };

  // A scanner types into whatever has the focus: a sign typed anywhere else goes to the field.
  document.addEventListener("keydown", (event) => {
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || event.key === " ") return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    document.getElementById("code")?.focus();
  });
  document.addEventListener("DOMContentLoaded", () => {
    tell();
    document.querySelectorAll("form[data-undo]").forEach(drain);
  });
})();
