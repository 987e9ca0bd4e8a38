// Runs before anything is drawn, so that a page in the chosen theme does not flash in the other one.
(() => {
  try {
    const theme = localStorage.getItem("murmur.theme");
    if (theme === "light" || theme === "dark") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // Without storage the system's theme is taken.
  }
})();
