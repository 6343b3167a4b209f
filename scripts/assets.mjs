// Builds the site: bundles style/main.css, takes the output of wasm-bindgen, copies public/, and
// writes .gz and .br files. `assets.mjs FOLDER PROFILE [BINDGEN]`, called by build-site.sh; needs
// only Node. BINDGEN is the folder of wasm-bindgen's output.
//
// Files in pkg/ are named by a hash of their content, so that browsers may cache them for good. The
// server reads their names from pkg/assets.json.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const site = resolve(process.argv[2]);
const release = process.argv[3] === "wasm-release";
const bindgen = process.argv[4];
const name = "apex_billing";
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

const hashOf = (content) => createHash("sha256").update(content).digest("hex").slice(0, 16);

const expected = new Map();
const assets = {};

/** Adds a file of pkg/ under a name with its content's hash. */
function addHashed(kind, content) {
  assets[kind] = `${name}.${hashOf(content)}.${kind}`;
  expected.set(join(site, "pkg", assets[kind]), content);
}

addHashed("css", Buffer.from(compact(bundle(join(root, "style/main.css")))));
if (bindgen) {
  addHashed("wasm", readFileSync(join(bindgen, `${name}_bg.wasm`)));
  // wasm-bindgen's module loads the file of this name beside it.
  const script = readFileSync(join(bindgen, `${name}.js`), "utf8");
  const parts = script.split(`${name}_bg.wasm`);
  if (parts.length < 2) fail(`${name}.js of wasm-bindgen does not name ${name}_bg.wasm`);
  addHashed("js", Buffer.from(parts.join(assets.wasm)));
}
assets.build = hashOf(Object.values(assets).join(" "));
for (const file of files(join(root, "public"))) expected.set(join(site, relative(join(root, "public"), file)), readFileSync(file));
for (const [file, content] of expected) writeIfChanged(file, content);

// Remove output of an earlier build: a file deleted from public/ must not stay in the site. In
// development a server may still run with the names of an earlier build: these stay for a day.
const DAY = 24 * 60 * 60 * 1000;
const manifest = join(site, "pkg/assets.json");
const original = (file) => file.replace(/\.(br|gz)$/, "");
const isOfRunningServer = (file) =>
  !release && /^pkg[/\\]apex_billing\.[0-9a-f]{16}\.(css|js|wasm)$/.test(relative(site, original(file))) && Date.now() - statSync(file).mtimeMs < DAY;
for (const file of files(site)) {
  const kept = original(file) === file ? expected.has(file) || file === manifest || isOfRunningServer(file) : existsSync(original(file));
  if (!kept) rmSync(file);
}
const profileFile = `${site}.compressed`;
const profileChanged = !existsSync(profileFile) || readFileSync(profileFile, "utf8") !== String(release);
for (const file of expected.keys()) if (compressible.has(extname(file))) compress(file);
writeFileSync(profileFile, String(release));
// Last: the files that it names exist.
writeIfChanged(manifest, Buffer.from(JSON.stringify(assets)));
