
// Appended to wasm-bindgen's module: starts it and attaches the islands.
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
  const module = await import(import.meta.url);
  await module.default();
  module.hydrate();
  await attach(document.body, module);
  // Tests wait for this attribute.
  document.documentElement.toggleAttribute("data-hydrated", true);
})();
