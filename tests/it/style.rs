//! Plain English: words that send the reader into a second reading stay out of code and documents.
//!
//! CONTRIBUTING.md describes the style.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Word or phrase, and what to write instead. Matched as whole words, in any case.
const WORDS: &[(&str, &str)] = &[
    ("whoever", "the caller, client, user or operator"),
    ("whosever", "the owner"),
    ("nobody", "no user, no client; \"unauthenticated\" for requests"),
    ("somebody", "a user, a client, another process"),
    ("told", "reported, notified, logged"),
    ("wants", "requires, expects, must be"),
    ("is none", "is missing, unknown or invalid"),
    ("came to", "the result"),
    ("by and by", "with backoff, later"),
    ("hear out", "drain the request body"),
    ("hears out", "drains the request body"),
    ("linger", "drain the request body"),
    ("lingers", "drains the request body"),
    ("lingering", "draining the request body"),
    ("waits for its turn", "is queued"),
    ("wait for their turn", "are queued"),
    ("what is more than that", "the rest"),
    ("the trail", "the audit log"),
    ("audit trail", "audit log"),
];

/// Folders that are checked; of the repository's other files only those at its top.
const FOLDERS: &[&str] = &["benches", "deploy", "docs", "end2end", "migrations", "scripts", "src", "style", "tests"];

/// Files that quote the words, come from elsewhere, or are stored in databases.
const EXEMPT: &[&str] =
    &["end2end/package-lock.json", "src/auth/common_passwords/", "src/store/clickhouse/migrations/", "tests/it/style.rs"];

/// Names that others define: the Unix account, systemd's setting, and a column of `login_failures`.
const NAMES: &[(&str, &str)] = &[
    ("", "`nobody`"),
    ("", "\"nobody\""),
    ("scripts/lib.sh", "account=nobody"),
    ("deploy/systemd/apex-billing.service", "Wants="),
    ("migrations/0029_login_throttle.up.sql", "told   "),
    ("src/store/postgres/login_throttle.rs", "told = "),
    ("src/store/postgres/login_throttle.rs", "NOT told"),
];

const TEXT: &[&str] = &[
    "Caddyfile",
    "Makefile",
    "cjs",
    "conf",
    "css",
    "example",
    "html",
    "js",
    "md",
    "mjs",
    "py",
    "rs",
    "service",
    "sh",
    "socket",
    "sql",
    "toml",
    "ts",
    "typ",
    "yaml",
    "yml",
];

const MOST_COLUMNS: usize = 100;
const MOST_NAME_CHARS: usize = 60;

/// The tracked text files that are checked, with their contents.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("git").current_dir(root).args(["ls-files", "-z"]).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let checked = |name: &&str| {
        let below = |folder: &&str| {
            name.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/') || folder.ends_with('/') || rest.is_empty())
        };
        let last = name.rsplit('/').next().unwrap_or_default();
        (FOLDERS.iter().any(below) || !name.contains('/'))
            && !EXEMPT.iter().any(|prefix| name.starts_with(prefix))
            && TEXT.contains(&last.rsplit('.').next().unwrap_or_default())
    };
    // A tracked file may have been removed without a commit.
    names
        .split_terminator('\0')
        .filter(checked)
        .filter_map(|name| Some((name.to_owned(), fs::read_to_string(root.join(name)).ok()?)))
        .collect()
}

/// Where a comment's text begins in a trimmed line; None for a line that is no comment.
fn comment<'a>(file: &str, line: &'a str) -> Option<&'a str> {
    let marks: &[&str] = match file.rsplit('.').next().unwrap_or_default() {
        "rs" | "ts" | "js" | "mjs" | "cjs" | "typ" => &["///", "//!", "//", "/**", "/*", "* "],
        "css" => &["/*", "* "],
        "sql" => &["--"],
        "md" | "html" => &[],
        _ => &["#"],
    };
    marks.iter().find_map(|mark| line.strip_prefix(mark))
}

/// Lower case words with single spaces between them; `_` separates words only in names. Punctuation
/// stays apart, so that a phrase never spans two sentences.
fn words(text: &str, names: bool) -> String {
    let mut spaced = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '_' if !names => spaced.push('_'),
            c if c.is_alphanumeric() => spaced.extend(c.to_lowercase()),
            c if c.is_whitespace() || matches!(c, '_' | '\'' | '’') => spaced.push(' '),
            _ => spaced.push_str(" . "),
        }
    }
    format!(" {} ", spaced.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn is_test_name(line: &str) -> bool {
    line.starts_with("fn ") || line.starts_with("async fn ") || line.starts_with("test(") || line.starts_with("test.")
}

#[test]
fn replaced_words_stay_out() {
    let mut found = BTreeSet::new();
    for (file, text) in files() {
        let mut text = text;
        for (_, name) in NAMES.iter().filter(|(prefix, _)| file.starts_with(prefix)) {
            text = text.replace(name, "");
        }
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let here = words(line, is_test_name(line));
            // A phrase may continue on the comment's next line.
            let next = lines.get(number + 1).and_then(|next| comment(&file, next)).map(|next| words(next, false));
            let both = next.as_ref().filter(|_| comment(&file, line).is_some()).map(|next| format!("{}{}", here.trim_end(), next));
            for (word, instead) in WORDS {
                let word = format!(" {word} ");
                let split = word.trim().contains(' ')
                    && both.as_ref().is_some_and(|both| both.contains(&word))
                    && next.as_ref().is_some_and(|next| !next.contains(&word));
                if here.contains(&word) || split {
                    found.insert(format!("{file}:{}: `{}`, write: {instead}", number + 1, word.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} replaced words:\n{}", found.len(), found.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn comments_wrap_at_100_columns() {
    let mut found = Vec::new();
    for (file, text) in files() {
        for (number, line) in text.lines().enumerate() {
            let Some(comment) = comment(&file, line.trim()) else { continue };
            // An attribute, a table, a link or one long word can't be wrapped.
            let whole = comment.trim_start().starts_with(['|', '[', '!']) || comment.contains("://") || !comment.trim().contains(' ');
            if line.chars().count() > MOST_COLUMNS && !whole {
                found.push(format!("{file}:{}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{} comments are longer than {MOST_COLUMNS} columns:\n{}", found.len(), found.join("\n"));
}

#[test]
fn test_names_are_short() {
    let mut found = Vec::new();
    for (file, text) in files() {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let name = if file.ends_with(".rs") {
                line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next())
            } else if file.ends_with(".spec.ts") {
                line.strip_prefix("test(").and_then(|rest| rest.get(1..)).and_then(|rest| rest.split(['\'', '`', '"']).next())
            } else {
                None
            };
            if let Some(name) = name.filter(|name| name.chars().count() > MOST_NAME_CHARS) {
                found.push(format!("{file}:{}: {name}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "names are longer than {MOST_NAME_CHARS} characters; put details into a comment:\n{}", found.join("\n"));
}

#[test]
fn words_match_whole_words_only() {
    assert!(words("// Nobody's key", false).contains(" nobody "));
    assert!(words("fn nobody_is_let_in", true).contains(" nobody "));
    assert!(!words("let nobody_is = 1;", false).contains(" nobody "));
    assert!(!words("What it is. None without.", false).contains(" is none "));
    assert!(!words("untold, is_none()", false).contains(" told ") && !words("untold, is_none()", false).contains(" is none "));
    assert_eq!(comment("a.sql", "-- Why."), Some(" Why."));
    assert_eq!(comment("a.rs", "let a = 1; // one"), None);
}

/// A renamed test would lose its longer time limit unnoticed.
#[test]
fn time_limits_name_tests_that_exist() {
    let limits = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".config/nextest.toml")).unwrap();
    let files = files();
    let names: Vec<&str> = limits.split("test(").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(names.len() > 2, "{names:?}");
    for name in names.into_iter().filter(|name| !name.starts_with('/')) {
        let found = files.iter().any(|(file, text)| file.ends_with(".rs") && text.contains(&format!("fn {name}(")));
        assert!(found, ".config/nextest.toml names the test `{name}`, which does not exist");
    }
}
