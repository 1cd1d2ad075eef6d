// Sets the theme before the first paint; a classic blocking script, as modules run too late.
(function () {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("hostpulse.theme") || "system";
    } catch {
      return "system"; // storage is forbidden in some private windows
    }
  }

  function apply() {
    const choice = chosen();
    root.dataset.themeChoice = choice;
    root.dataset.theme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    root.dispatchEvent(new Event("themechange"));
  }

  root.addEventListener("themechoice", apply);
  dark.addEventListener("change", apply);
  apply();
})();
