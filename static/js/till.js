// The till: says when there is no connection, lets the Undo bar drain, keeps the field ready for the scanner, reads codes with the camera,
// shows its lock when it was left alone.
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

  // The server locks; this takes off the screen what a till that was left alone still shows. Whoever is typing is not disturbed.
  const ALONE = 301_000;
  const ASK_AGAIN = 30_000;
  const isTyping = () => [...document.querySelectorAll(".till input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
  const watch = async (address) => {
    const asked = { headers: { "HX-PTag": "lock" }, redirect: "manual" };  // a question that counts as no use
    const answer = isTyping() ? null : await fetch(address, asked).catch(() => null);
    if (answer?.status === 401) location.replace(`${address}?next=${encodeURIComponent(location.pathname + location.search)}`);
    else setTimeout(watch, ASK_AGAIN, address);
  };

  // A scanner types into whatever has the focus: a sign typed anywhere else goes to the field, and so does Enter, which a
  // quick hand presses before the browser has given the field its focus.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.repeat && event.target === document.body) {
      document.getElementById("code")?.form.requestSubmit();
      return;
    }
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || event.key === " ") return;
    if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
    document.getElementById("code")?.focus();
  });
  // The camera is offered only where the browser itself can read codes; everywhere else nothing shows.
  const FORMATS = ["qr_code", "ean_13", "code_128"];
  const LOOK_EVERY = 150;
  const formats = async () => {
    if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return [];
    const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
    return FORMATS.filter((format) => known.includes(format));
  };

  const read = async (detector, video) => {
    const found = await detector.detect(video).catch(() => []);  // a frame that is not there yet
    return found.map((code) => code.rawValue.trim()).find(Boolean);
  };

  const offerCamera = async (place) => {
    const readable = await formats();
    if (!readable.length) return;
    const [dialog, video, says] = ["dialog", "video", "[role=status]"].map((part) => place.querySelector(part));
    const field = document.getElementById("code");
    const detector = new BarcodeDetector({ formats: readable });
    const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());

    const look = async () => {
      if (!dialog.open) return;
      const code = await read(detector, video);
      if (!dialog.open) return;
      if (!code) { setTimeout(look, LOOK_EVERY); return; }
      dialog.close();
      field.value = code;
      field.form.requestSubmit();
    };
    const start = async () => {
      says.textContent = says.dataset.wait;
      dialog.showModal();
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      } catch {
        says.textContent = says.dataset.refused;
        return;
      }
      if (!dialog.open) { stop(stream); return; }  // closed while the browser asked
      stop(video.srcObject);  // of a window that was opened twice while the browser asked
      video.srcObject = stream;
      says.textContent = says.dataset.ready;
      look();
    };
    dialog.addEventListener("close", () => { stop(video.srcObject); video.srcObject = null; });
    place.querySelector("[data-camera-start]").addEventListener("click", start);
    place.hidden = false;
  };

  document.addEventListener("DOMContentLoaded", () => {
    tell();
    document.querySelectorAll("[data-camera]").forEach(offerCamera);
    document.querySelectorAll("form[data-undo]").forEach(drain);
    document.querySelectorAll("[data-lock]").forEach((place) => setTimeout(watch, ALONE, place.dataset.lock));
  });
})();
