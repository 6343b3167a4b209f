// Served instead of a script that a deployment has removed: the page is of an earlier build, so it
// is loaded again, once. `boot.js` has the same rule.
(() => {
  const { build } = document.documentElement.dataset;
  const mark = `reloaded ${build}`;
  try {
    if (!build || sessionStorage.getItem(mark)) return;
    sessionStorage.setItem(mark, "1");
  } catch {
    // Without storage nothing would end a loop. The page works without scripts.
    return;
  }
  location.reload();
})();
