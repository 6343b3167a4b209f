
// Appended to wasm-bindgen's module: starts it and attaches the islands.
const html = document.documentElement;

/** Whether a reload would lose input. */
function isUnsaved(field) {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
  return field.value !== field.defaultValue;
}

/** Loads the page again because of a build, once. A response to a form has no build of its own. */
function reloadOnce(build) {
  const mark = `reloaded ${build}`;
  try {
    if (!html.dataset.build || sessionStorage.getItem(mark)) return;
    if ([...document.querySelectorAll("input, select, textarea")].some(isUnsaved)) return;
    sessionStorage.setItem(mark, "1");
  } catch {
    // Without storage nothing would end a loop. The page works without scripts.
    return;
  }
  location.reload();
}

// The next navigation skips a running view transition, which Chromium reports as an error.
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.message === "Transition was skipped") event.preventDefault();
});

async function attach(node, module, hydrateChildren) {
  for (const child of node.children) {
    let inner = hydrateChildren;
    if (child.localName === "leptos-island") {
      hydrateChildren?.();
      await module[child.dataset.component]?.(child);
    } else if (child.localName === "leptos-children") {
      inner = child.$$on_hydrate;
    }
    await attach(child, module, inner);
  }
}

(async () => {
  if (typeof WebAssembly === "undefined") return;
  // `LiveRegion` sends it when a newer server answers.
  document.addEventListener("newer-build", () => reloadOnce(html.dataset.newerBuild));
  const module = await import(import.meta.url);
  try {
    await module.default();
  } catch (error) {
    // The file is gone after a deployment, or blocked.
    reloadOnce(html.dataset.build);
    throw error;
  }
  module.hydrate();
  await attach(document.body, module);
  // Tests wait for this attribute.
  html.toggleAttribute("data-hydrated", true);
})();
