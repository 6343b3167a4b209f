//! Tables of the pages against the code that they describe.

use super::{file, files, root};
use apex_billing::{
    api::openapi,
    domain::{error_code::ErrorCode, features::Feature, usage_event::RejectionCode},
};
use std::collections::{BTreeMap, BTreeSet};

/// The text below a heading, up to the next one of the same or a higher level.
fn section(page: &str, heading: &str) -> String {
    let text = file(page);
    let level = heading.bytes().take_while(|byte| *byte == b'#').count();
    let below = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{page} has no {heading}")).1;
    let ends = |line: &&str| !(1..=level).contains(&line.bytes().take_while(|byte| *byte == b'#').count());
    below.lines().take_while(ends).fold(String::new(), |text, line| text + line + "\n")
}

/// The cells of each row whose first cell, or second, is code.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .filter(|line| line.starts_with("| ") && line.contains('`') && !line.contains("--- |"))
        .map(|line| line.replace("\\|", "\u{1}"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect())
        .collect()
}

fn code(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// Fails with what only one side has.
fn same(what: &str, documented: &BTreeSet<String>, real: &BTreeSet<String>) {
    let (missing, gone) = (real.difference(documented).collect::<Vec<_>>(), documented.difference(real).collect::<Vec<_>>());
    assert!(missing.is_empty() && gone.is_empty(), "{what}: not documented: {missing:#?}; does not exist: {gone:#?}");
}

/// `a.b = value` for each value of a table.
fn flattened(path: &str, value: &toml::Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flattened(&path, value, found);
            }
        }
        toml::Value::String(text) => drop(found.insert((path.to_owned(), text.clone()))),
        other => drop(found.insert((path.to_owned(), other.to_string()))),
    }
}

#[test]
fn leptos_toml_is_documented_with_its_defaults() {
    let mut table: toml::Table = file("Leptos.toml").parse().unwrap();
    table.remove("package").unwrap();
    let mut real = BTreeSet::new();
    flattened("", &toml::Value::Table(table), &mut real);
    let rows = rows(&section("docs/operate/configuration.md", "## Leptos.toml"));
    let documented = rows.iter().map(|row| (code(&row[0]), code(&row[1]))).collect::<BTreeSet<_>>();
    let joined = |pairs: &BTreeSet<(String, String)>| pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    same("Leptos.toml", &joined(&documented), &joined(&real));
}

#[test]
fn every_endpoint_is_documented() {
    let paths = openapi::document()["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let rows = rows(&section("docs/guide/api-conventions.md", "## Endpoints"));
    same("endpoints", &rows.iter().map(|row| code(&row[0])).collect(), &operations.collect());
}

/// `generated` stands below the heading, as it is.
fn contains(page: &str, heading: &str, generated: &str) {
    assert!(section(page, heading).contains(generated), "{page}, {heading}: the table has to be\n\n{generated}");
}

#[test]
fn error_codes_are_documented() {
    contains("docs/guide/api-conventions.md", "### Error codes", &ErrorCode::markdown_table());
}

#[test]
fn codes_of_rejected_events_are_documented() {
    contains("docs/guide/usage-events.md", "## Read the response", &RejectionCode::markdown_table());
}

/// A page names no code that does not exist.
#[test]
fn error_codes_in_prose_exist() {
    let mut pages = Vec::new();
    files(&root().join("docs"), "md", &mut pages);
    let after_status = |text: &str| {
        let words = text.split_whitespace().collect::<Vec<_>>();
        let is_status = |word: &str| word.parse::<u16>().is_ok_and(|status| (400..600).contains(&status));
        let codes = words.windows(2).filter(|pair| is_status(pair[0]) && pair[1].starts_with('`'));
        codes.map(|pair| pair[1].split('`').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let named: Vec<String> = pages.iter().flat_map(|(_, text)| after_status(text)).collect();
    assert!(named.len() > 10, "{named:?}");
    for code in named {
        assert!(ErrorCode::parse(&code).is_some(), "`{code}` is not an error code");
    }
}

/// Name and type of every metric that `src/telemetry.rs` names.
fn metrics() -> BTreeMap<String, &'static str> {
    let recorder = file("src/telemetry/recorder.rs");
    let described = recorder.split_once("fn describe()").unwrap().1.split("\n}\n").next().unwrap();
    let mut kinds = BTreeMap::new();
    for block in described.split("for (name, help) in [").skip(1) {
        let kind = ["counter", "gauge", "histogram"].into_iter().find(|kind| block.contains(&format!("describe_{kind}!"))).unwrap();
        kinds.extend(block.split("(").filter_map(|rest| rest.split_once(", \"")).map(|(name, _)| (name.trim().to_owned(), kind)));
    }
    let names = file("src/telemetry.rs");
    let names = names.lines().filter_map(|line| line.strip_prefix("pub const ")?.split_once(": &str = \""));
    names
        .map(|(constant, rest)| {
            let kind = kinds.get(constant).unwrap_or_else(|| panic!("{constant} has no help in src/telemetry/recorder.rs"));
            (rest.trim_end_matches("\";").to_owned(), *kind)
        })
        .collect()
}

#[test]
fn every_metric_is_documented_with_its_type() {
    let real: BTreeSet<String> = metrics().into_iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    assert!(real.len() > 50, "{}", real.len());
    let rows = rows(&section("docs/operate/monitoring.md", "## Metrics"));
    let documented = rows.iter().filter(|row| row.len() == 4).map(|row| format!("{} {}", code(&row[0]), row[1])).collect();
    same("metrics", &documented, &real);
}

/// Seconds of `const EVERY: Duration = Duration::from_secs(12 * 3600)`.
fn interval(job: &str) -> u64 {
    let text = file(&format!("src/jobs/{job}.rs"));
    let product = text.split_once("EVERY: Duration = Duration::from_secs(").unwrap().1.split(')').next().unwrap();
    product.split('*').map(|factor| factor.trim().replace('_', "").parse::<u64>().unwrap()).product()
}

#[test]
fn every_job_is_documented_with_its_interval() {
    let mut sources = Vec::new();
    files(&root().join("src/jobs"), "rs", &mut sources);
    let jobs = sources.iter().map(|(path, _)| path.file_stem().unwrap().to_str().unwrap());
    let real = jobs.map(|job| format!("{job} {} s", interval(job))).collect();
    let rows = rows(&section("docs/operate/monitoring.md", "## Background jobs"));
    same("jobs", &rows.iter().map(|row| format!("{} {}", code(&row[0]), row[1])).collect(), &real);
}

#[test]
fn every_feature_flag_is_documented() {
    let rows = rows(&section("docs/guide/staff-console.md", "## Feature flags"));
    same("features", &rows.iter().map(|row| code(&row[0])).collect(), &Feature::ALL.map(|feature| feature.name().to_owned()).into());
}

#[test]
fn every_target_of_make_that_has_help_is_documented() {
    let makefile = file("Makefile");
    let targets = makefile.lines().filter(|line| line.contains(": ") && line.contains(" ## ") && !line.starts_with("help:"));
    let real = targets.map(|line| format!("make {}", line.split(':').next().unwrap())).collect();
    let rows = rows(&section("docs/operate/cli.md", "## make"));
    let words = |row: &Vec<String>| row[0].split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let documented: BTreeSet<String> = rows.iter().flat_map(words).collect();
    same("make", &documented, &real);
}

#[test]
fn architecture_has_the_order_of_modules() {
    let test = file("tests/it/architecture.rs");
    let order = test.split_once("const ORDER: ").unwrap().1.split_once("= [").unwrap().1.split("];").next().unwrap();
    // `lib` is the crate's root.
    let real: Vec<&str> = order.split('"').skip(1).step_by(2).filter(|module| *module != "lib").collect();
    let page = file("ARCHITECTURE.md");
    let quote: String = page.lines().filter_map(|line| line.strip_prefix("> ")).map(|line| format!("{line} ")).collect();
    assert_eq!(quote.split('→').map(str::trim).collect::<Vec<_>>(), real);
    let table = section("ARCHITECTURE.md", "## Modules");
    let missing: Vec<_> = real.iter().filter(|module| !table.contains(&format!("`src/{module}"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not describe {missing:?}");
}

/// A test that `asvs.md` names is a function; a module is a file or an inline module.
#[test]
fn tests_that_asvs_names_exist() {
    let mut sources = Vec::new();
    files(&root().join("tests/it"), "rs", &mut sources);
    files(&root().join("src"), "rs", &mut sources);
    let page = file("docs/operate/asvs.md");
    let named = page.split('`').skip(1).step_by(2).filter(|span| span.contains("::")).collect::<BTreeSet<_>>();
    assert!(named.len() > 40, "{}", named.len());
    for name in named {
        let (module, last) = name.rsplit_once("::").unwrap();
        let in_module = |path: &str, module: &str| path.ends_with(&format!("/{}.rs", module.replace("::", "/")));
        let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let is_test = sources.iter().any(|(file, text)| in_module(&path(file), module) && text.contains(&format!("fn {last}(")));
        let is_module = sources.iter().any(|(file, _)| in_module(&path(file), name));
        assert!(is_test || is_module, "{name} does not exist");
    }
}

/// A phrase in code is a log message, which operators search for.
#[test]
fn log_messages_that_pages_quote_exist() {
    let mut sources = Vec::new();
    files(&root().join("src"), "rs", &mut sources);
    let mut pages = Vec::new();
    files(&root().join("docs/guide"), "md", &mut pages);
    files(&root().join("docs/operate"), "md", &mut pages);
    let is_phrase = |span: &&str| {
        span.split(' ').count() > 2
            && span.split(' ').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '\''))
    };
    let mut seen = 0;
    for (page, text) in &pages {
        for phrase in text.split('`').skip(1).step_by(2).filter(is_phrase) {
            seen += 1;
            assert!(sources.iter().any(|(_, source)| source.contains(phrase)), "{}: no log message `{phrase}`", page.display());
        }
    }
    assert!(seen > 3, "{seen} phrases");
}
