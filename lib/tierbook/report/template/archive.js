"use strict";
(function () {
  const page = document.documentElement;
  const button = document.querySelector(".tongue");
  const spoken = { en: button.dataset.en, "zh-CN": button.dataset.zh };
  // a page from the file system may keep nothing: then the browser's language is asked each time
  const kept = (value) => {
    try {
      if (value) localStorage.setItem("tierbook-language", value);
      return localStorage.getItem("tierbook-language");
    } catch { return null; }
  };
  const speak = (language) => {
    page.dataset.speaks = page.lang = language;
    const other = language === "en" ? "zh-CN" : "en";
    button.textContent = spoken[other];
    button.lang = other;
    button.onclick = () => { kept(other); speak(other); };
  };
  const own = (navigator.languages || [navigator.language]).find((code) => /^(en|zh)/i.test(code)) || "en";
  const before = kept();
  speak(before in spoken ? before : /^zh/i.test(own) ? "zh-CN" : "en");
  button.hidden = false;
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
})();
