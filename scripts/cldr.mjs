#!/usr/bin/env node
// Writes what the text catalogue takes from CLDR by way of Node's Intl (full ICU):
//   src/text/countries.rs        names of countries in the languages of the catalogue
//   tests/it/formats/cldr.json   formatted values that tests compare src/text/format with
// Run `node scripts/cldr.mjs` after an update of Node, then `cargo fmt`, and read the difference.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const languages = ["en", "de", "fr"];
const { icu, cldr } = process.versions;

// Codes that CLDR names and that are no country of ISO 3166-1: unions, unknown, pseudo-locales and
// exceptional reservations. Stripe accepts AC, TA and XK in addresses, so those stay.
const noCountries = new Set(["CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "UN", "XA", "XB", "ZZ"]);
const names = languages.map((language) => new Intl.DisplayNames(language, { type: "region", fallback: "none" }));
// "Hong Kong" in place of "Hong Kong SAR China".
const short = languages.map((language) => new Intl.DisplayNames(language, { type: "region", style: "short" }));
const shortened = new Set(["HK", "MO", "PS"]);
const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const codes = letters
  .flatMap((first) => letters.map((second) => first + second))
  .filter((code) => !noCountries.has(code) && names[0].of(code) !== undefined)
  // A deprecated code has the name of its successor.
  .filter((code) => new Intl.Locale(`und-${code}`).region === code && Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`);
const rows = codes.map((code) => `    (${JSON.stringify(code)}, [${(shortened.has(code) ? short : names).map((of) => JSON.stringify(of.of(code))).join(", ")}]),`);
writeFileSync(
  join(root, "src/text/countries.rs"),
  `//! Names of countries (ISO 3166-1 alpha-2, and the codes AC, TA and XK, which Stripe accepts) in
//! English, German and French, sorted by code.
//!
//! Written by \`scripts/cldr.mjs\` from CLDR ${cldr} (ICU ${icu}).
//! Copyright Unicode, Inc.; licence in \`countries/LICENSE-Unicode.txt\`.

/// A country's code, and its name in each language in the order of \`Language::ALL\`.
pub(super) const COUNTRIES: [(&str, [&str; 3]); ${codes.length}] = [
${rows.join("\n")}
];
`,
);

// Stripe's decimals, which differ from CLDR's for some currencies.
const decimals = { jpy: 0, krw: 0, xof: 0, kwd: 3, tnd: 3 };
const currencies = ["usd", "eur", "gbp", "jpy", "inr", "krw", "kwd", "tnd", "xof", "chf", "cad", "pln"];
const amounts = [0, 1, -1, 99, 12345, -123456, 72601, 22935, 123456789012];
const instants = Array.from({ length: 24 }, (_, n) => Date.UTC(2026, n / 2, 1 + n, n, (n * 7) % 60, n));
const utc = { timeZone: "UTC" };
const day = { ...utc, day: "numeric", month: "short" };
// English dates have the day first, as in en-GB.
const dates = { en: "en-GB", de: "de", fr: "fr" };
const cases = languages.map((language) => {
  const integer = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: "percent" });
  const date = new Intl.DateTimeFormat(dates[language], { ...day, year: "numeric" });
  const time = new Intl.DateTimeFormat(dates[language], { ...day, year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
  const dayMonth = new Intl.DateTimeFormat(dates[language], day);
  const relative = new Intl.RelativeTimeFormat(language);
  const relativeInWords = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 3 });
  const unit = (name, value) => new Intl.NumberFormat(language, { style: "unit", unit: name }).format(value);
  const plural = new Intl.PluralRules(language);
  const ranges = [[0, 29], [14, 44], [49, 79]];
  return {
    language,
    integers: [0, 7, 999, 1000, 12345, 1234567, 9007199254740991].map((n) => [n, integer.format(n)]),
    percents: [0, 8, 100, 1250].map((n) => [n, percent.format(n / 100)]),
    money: currencies.flatMap((currency) => {
      const digits = decimals[currency] ?? 2;
      const format = new Intl.NumberFormat(language, {
        style: "currency",
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
      return amounts.map((amount) => [currency, amount, format.format(amount / 10 ** digits)]);
    }),
    dates: instants.map((at) => [at / 1000, date.format(at), dayMonth.format(at), time.format(at)]),
    periods: ranges.map(([from, to]) => {
      const [start, end] = [from, to].map((n) => Date.UTC(2026, 10, 1 + n));
      // Periods are half-open: the day after the last one.
      return [start / 1000, end / 1000 + 86400, date.formatRange(start, end)];
    }),
    relative: [["second", 0, relativeInWords.format(0, "second")]].concat(["second", "minute", "hour", "day"].flatMap((name) =>
      [-9, -3, -1, 1, 3, 9].filter((n) => name !== "second" || Math.abs(n) === 9).map((n) => [name, n, relative.format(n, name)]),
    )),
    compact: [1_000_000, 1_500_000, 16_200_000, 178_000_000, 1_500_000_000, 2_000_000_000_000].map((n) => [n, compact.format(n)]),
    gigabytes: [0, 1, 1.5, 37.25, 1234.56].map((n) => [n, unit("gigabyte", n)]),
    plurals: [0, 1, 2, 5, 11, 21, 100].map((n) => [n, plural.select(n)]),
  };
});
// One value a line.
const table = (rows) => `[\n${rows.map((row) => `   ${JSON.stringify(row)}`).join(",\n")}\n  ]`;
const tables = cases.map((of) => {
  const fields = Object.entries(of).map(([name, rows]) => `  "${name}": ${Array.isArray(rows) ? table(rows) : JSON.stringify(rows)}`);
  return ` {\n${fields.join(",\n")}\n }`;
});
const head = JSON.stringify({ icu, cldr, node: process.version }).slice(0, -1);
writeFileSync(join(root, "tests/it/formats/cldr.json"), `${head},"cases":[\n${tables.join(",\n")}\n]}\n`);
