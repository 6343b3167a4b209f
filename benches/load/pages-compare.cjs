// Compares two rendered pages: fails unless their bodies have the same visible text, and the same
// number of elements of each kind and class. Left out is what frameworks add themselves: scripts,
// the elements around Leptos' islands, and the empty hidden element with which Next.js begins.
'use strict';

const { readFileSync } = require('node:fs');

const ADDED = ['leptos-island', 'leptos-children'];

function read(file) {
  const html = readFileSync(file, 'utf8');
  const body = html
    .slice(html.indexOf('<body'), html.lastIndexOf('</body>'))
    .replace(/<script\b[\s\S]*?<\/script>/g, '')
    .replace(/<!--[\s\S]*?-->|<!>/g, '')
    .replace(/<div hidden="">\s*<\/div>/g, '')
    .replace(/(<leptos-island[^>]*>)<div class="contents">/g, '$1');
  const elements = new Map();
  for (const [, name, attributes] of body.matchAll(/<([a-z][a-z0-9-]*)((?:\s+[^\s"'>/=]+(?:="[^"]*")?)*)\s*\/?>/gi)) {
    if (ADDED.includes(name)) continue;
    const classes = /\sclass="([^"]*)"/.exec(attributes)?.[1] ?? '';
    const kind = [name.toLowerCase(), ...classes.split(/\s+/).filter(Boolean).sort()].join('.');
    elements.set(kind, (elements.get(kind) ?? 0) + 1);
  }
  const text = body
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#x27|#39|nbsp);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00a0' })[name] ?? "'")
    .replace(/\s+/g, ' ')
    .trim();
  return { elements, text };
}

const [ours, peer] = process.argv.slice(2).map(read);
const kinds = [...new Set([...ours.elements.keys(), ...peer.elements.keys()])].sort();
const differences = kinds
  .filter((kind) => ours.elements.get(kind) !== peer.elements.get(kind))
  .map((kind) => `${kind}: ${ours.elements.get(kind) ?? 0} in ours, ${peer.elements.get(kind) ?? 0} in the peer's`);
if (ours.text !== peer.text) {
  const at = [...ours.text].findIndex((character, place) => character !== [...peer.text][place]);
  const near = (text) => JSON.stringify([...text].slice(Math.max(0, at - 30), at + 50).join(''));
  differences.push(`the text differs: ${near(ours.text)} in ours, ${near(peer.text)} in the peer's`);
}
if (differences.length > 0) {
  console.error(`The pages differ; bring benches/load/nextjs up to date:\n  ${differences.join('\n  ')}`);
  process.exit(1);
}
const count = [...ours.elements.values()].reduce((sum, one) => sum + one, 0);
const rows = ours.elements.get('tr') - 1;
if (rows !== 20) {
  console.error(`The list has ${rows} rows, expected 20.`);
  process.exit(1);
}
console.log(`==> both pages have the same ${count} elements and ${ours.text.length} characters of text`);
