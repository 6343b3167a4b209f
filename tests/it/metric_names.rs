//! Only `domain/metric.rs` names a metric, so that a new one is an entry there. The rest of the
//! source asks the definitions.

use apex_billing::domain::metric::Metric;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Besides the definitions, only the demo's data is about certain metrics.
const MAY_NAME_METRICS: [&str; 2] = ["domain/metric", "demo/"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| ["rs", "sql", "typ"].iter().any(|one| extension == *one)) {
            found.push(path);
        }
    }
}

/// The lines of a file that are neither comments nor tests, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    lines.map(|(at, line)| (at + 1, line.split("//").next().unwrap_or(line)))
}

/// Whether a line has a word that is more than a part of another one.
fn has(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[test]
fn no_other_file_names_a_metric() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names: Vec<String> = Metric::ALL
        .into_iter()
        .flat_map(|metric| {
            let definition = metric.definition();
            let fixed = [definition.name, definition.key, definition.field, definition.included, definition.title.en, definition.noun.en];
            fixed.into_iter().map(str::to_owned).chain([format!("{metric:?}")])
        })
        .collect();
    let mut all = Vec::new();
    files(&source, &mut all);
    let (mut named, mut allowed) = (Vec::new(), 0);
    for path in all {
        let place = path.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<usize> = code(&text).filter(|(_, line)| names.iter().any(|name| has(line, name))).map(|(at, _)| at).collect();
        if MAY_NAME_METRICS.iter().any(|start| place.starts_with(start)) {
            allowed += lines.len();
        } else if !place.ends_with("/tests.rs") {
            named.extend(lines.iter().map(|line| format!("src/{place}:{line}")));
        }
    }
    assert!(allowed > 20, "the definitions are found by their names");
    assert_eq!(named, [] as [String; 0], "ask the definition of the metric instead");
}

#[test]
fn a_name_is_found_as_a_word() {
    assert!(has("metric IN ('api_calls')", "api_calls") && has("Metric::ApiCalls", "ApiCalls"));
    assert!(!has("included_api_calls", "api_calls") && !has("ApiCallsOf", "ApiCalls"));
    let text = "a\n  b // api_calls\n#[cfg(test)]\nmod tests { api_calls }";
    assert_eq!(code(text).collect::<Vec<_>>(), [(1, "a"), (2, "  b ")]);
}
