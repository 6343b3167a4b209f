// Builds the static part of the site: bundles style/main.css, copies public/, and writes .gz and
// .br files. `assets.mjs FOLDER PROFILE`, called by build-site.sh; needs only Node.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const site = resolve(process.argv[2]);
const release = process.argv[3] === "wasm-release";
const root = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "..");
const compressible = new Set([".css", ".html", ".ico", ".js", ".json", ".map", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"]);

const STRING_OR_COMMENT = /("(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*')|\/\*[^]*?\*\//g;
const IMPORT = /@import\s+(?:url\(\s*)?["']?([^"')\s;]+)["']?\s*\)?\s*([^;]*);/g;

/**
 * One file with its imports inlined; a layer or a condition of the import becomes a block around
 * them.
 */
function bundle(file, importers = []) {
  if (importers.includes(file)) fail(`${relative(root, file)} imports itself`);
  if (!existsSync(file)) fail(`${relative(root, importers.at(-1) ?? root)} imports ${relative(root, file)}, which is not there`);
  const text = readFileSync(file, "utf8").replace(STRING_OR_COMMENT, (_, string) => string ?? " ");
  return text.replace(/@charset[^;]*;/, "").replace(IMPORT, (statement, address, condition) => {
    if (/^(https?:)?\/\//.test(address)) fail(`${relative(root, file)} imports ${address}: style sheets come from this site alone`);
    return wrap(condition.trim(), bundle(resolve(dirname(file), address), [...importers, file]));
  });
}

function wrap(condition, css) {
  if (!condition) return css;
  const layer = condition.match(/^layer(?:\(([^)]*)\))?\s*/);
  if (layer) return `@layer ${layer[1] ?? ""} {\n${wrap(condition.slice(layer[0].length), css)}\n}`;
  const supports = condition.match(/^supports\(((?:[^()]|\([^()]*\))*)\)\s*/);
  if (supports) return `@supports (${supports[1]}) {\n${wrap(condition.slice(supports[0].length), css)}\n}`;
  return `@media ${condition} {\n${css}\n}`;
}

/**
 * Removes spaces around these characters only; elsewhere, and before a colon, they may matter.
 * Strings stay unchanged.
 */
const compact = (css) =>
  css
    .split(/("(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*')/)
    .map((part, i) => (i % 2 ? part : part.replace(/\s+/g, " ").replace(/ ?([{};,>]) ?/g, "$1").replace(/: /g, ":").replace(/;}/g, "}")))
    .join("")
    .trim();

function writeIfChanged(file, content) {
  if (existsSync(file) && readFileSync(file).equals(content)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const files = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    : [];

function compress(file) {
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: release ? 11 : 4, [constants.BROTLI_PARAM_SIZE_HINT]: statSync(file).size } };
  for (const [suffix, compressed] of [[".br", (data) => brotliCompressSync(data, brotli)], [".gz", (data) => gzipSync(data, { level: release ? 9 : 4 })]]) {
    const copy = file + suffix;
    if (!existsSync(copy) || statSync(copy).mtimeMs < statSync(file).mtimeMs || profileChanged) writeFileSync(copy, compressed(readFileSync(file)));
  }
}

function fail(sentence) {
  console.error(sentence + ".");
  process.exit(1);
}

const profileFile = join(site, ".compressed");
const profileChanged = !existsSync(profileFile) || readFileSync(profileFile, "utf8") !== String(release);

const expected = new Map();
const style = join(root, "style/main.css");
if (existsSync(style)) expected.set(join(site, "pkg/apex_billing.css"), Buffer.from(compact(bundle(style))));
for (const file of files(join(root, "public"))) expected.set(join(site, relative(join(root, "public"), file)), readFileSync(file));
for (const [file, content] of expected) writeIfChanged(file, content);

// Remove output of an earlier build: a file deleted from public/ must not stay in the site.
const original = (file) => file.replace(/\.(br|gz)$/, "");
for (const file of files(site)) {
  const kept = original(file) === file ? expected.has(file) || /^(pkg[/\\]apex_billing(_bg)?\.(js|wasm)|\.wasm|\.compressed)$/.test(relative(site, file)) : existsSync(original(file));
  if (!kept) rmSync(file);
}
for (const file of files(site)) if (original(file) === file && compressible.has(extname(file))) compress(file);
writeFileSync(profileFile, String(release));
