//! What README.md, the pages in docs and `.env.example` say, against the program.

mod links;
mod tables;

use apex_billing::{cli, config::Config, domain::features::Feature};
use clap::Command;
use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of every file with this extension below a folder, with its path.
fn files(folder: &Path, extension: &str, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// README and every page below docs.
fn guide() -> String {
    let mut pages = Vec::new();
    files(&root().join("docs"), "md", &mut pages);
    pages.into_iter().map(|(_, text)| text).chain([file("README.md")]).collect()
}

/// The variables that a server reads: those of its configuration, and what is read elsewhere.
pub fn settings() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    Config::read(&file("Leptos.toml"), &|name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        // One that is asked for only beside another is asked for, too.
        (name == "CLICKHOUSE_URL").then(|| "http://127.0.0.1/billing".to_owned())
    })
    .unwrap();
    let mut settings = asked.into_inner();
    settings.extend(["APEX_PG_BIN", "LEPTOS_SITE_ADDR", "RUST_LOG"].map(String::from));
    settings
}

/// The variables that stand for options.
fn of_options(command: &Command, found: &mut BTreeSet<String>) {
    found.extend(command.get_arguments().filter_map(|argument| argument.get_env()).map(|name| name.to_str().unwrap().to_owned()));
    command.get_subcommands().for_each(|command| of_options(command, found));
}

/// The text between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn difference<'a>(these: &'a BTreeSet<String>, those: &'a BTreeSet<String>) -> Vec<&'a String> {
    these.difference(those).collect()
}

#[test]
fn the_example_of_a_dot_env_file_has_every_setting_and_no_other() {
    let example: BTreeSet<String> = file(".env.example")
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name.to_owned())
        .collect();
    let settings = settings();
    assert!(example == settings, "missing: {:?}; read by no code: {:?}", difference(&settings, &example), difference(&example, &settings));
}

#[test]
fn every_variable_is_documented() {
    let page = file("docs/operate/configuration.md");
    let table = page.split_once("\n## Environment\n").unwrap().1.split("\n##").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")).map(|(names, _)| names);
    let described: BTreeSet<String> = rows.flat_map(quoted).filter(|name| !name.ends_with('*')).map(str::to_owned).collect();
    let settings = settings();
    assert!(
        described == settings,
        "missing: {:?}; read by no code: {:?}",
        difference(&settings, &described),
        difference(&described, &settings)
    );
}

#[test]
fn variables_that_stand_for_options_are_in_the_guide() {
    let mut names = BTreeSet::new();
    of_options(&cli::command(), &mut names);
    assert!(names.contains("CHECKLIST_ADMIN_COOKIE"));
    let guide = guide();
    let missing: Vec<&String> = names.iter().filter(|name| !guide.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_else_reads_the_environment() {
    let mut found = Vec::new();
    files(&root().join("src"), "rs", &mut found);
    let settings = settings();
    for (path, text) in found {
        let (path, text) = (path.display(), text.split("#[cfg(test)]").next().unwrap());
        for call in ["env::var(\"", "env::var_os(\""] {
            let names = text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap());
            // PATH and USER belong to the machine, OTEL_ variables to OpenTelemetry, and
            // PROPTEST_CASES to a module of tests.
            let others = |name: &str| name.starts_with("OTEL_") || ["PATH", "USER", "PROPTEST_CASES"].contains(&name);
            let unknown: Vec<&str> = names.filter(|name| !settings.contains(*name) && !others(name)).collect();
            assert!(unknown.is_empty(), "{path}: {unknown:?}");
        }
    }
}

/// The table of commands: the words of each row, without the program's name.
fn documented_commands() -> Vec<Vec<String>> {
    let page = file("docs/operate/cli.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `apex-billing ")?.split_once("` |")).map(|(words, _)| words);
    rows.map(|words| {
        let plain = words.replace("\\|", "|").replace(['[', ']'], " ");
        plain.split_whitespace().map(str::to_owned).collect()
    })
    .collect()
}

/// Every command that does something, as its words.
fn commands(command: &Command, above: &[String], found: &mut Vec<Vec<String>>) {
    for below in command.get_subcommands() {
        let words = [above, &[below.get_name().to_owned()]].concat();
        if below.has_subcommands() { commands(below, &words, found) } else { found.push(words) }
    }
}

#[test]
fn every_command_is_documented() {
    let rows = documented_commands();
    let mut all = Vec::new();
    commands(&cli::command(), &[], &mut all);
    let says = |row: &[String], words: &[String]| {
        row.first() == words.first() && words[1..].iter().all(|word| row.iter().any(|said| said.split('|').any(|one| one == word)))
    };
    let missing: Vec<String> = all.iter().filter(|words| !rows.iter().any(|row| says(row, words))).map(|words| words.join(" ")).collect();
    assert!(missing.is_empty(), "docs/operate/cli.md has no row for {missing:?}");
}

#[test]
fn documented_commands_and_options_exist() {
    let program = cli::command();
    for row in documented_commands() {
        let command = program.find_subcommand(&row[0]).unwrap_or_else(|| panic!("{row:?}"));
        // `add|list|passwd`, or one that is named alone.
        let below: Vec<&Command> =
            row[1..].iter().flat_map(|word| word.split('|')).filter_map(|name| command.find_subcommand(name)).collect();
        if let Some(second) = row.get(1).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())) {
            assert!(second.split('|').all(|name| command.find_subcommand(name).is_some()), "{row:?}");
        }
        for option in row.iter().filter_map(|word| word.strip_prefix("--")) {
            let known = |command: &Command| command.get_arguments().any(|argument| argument.get_long() == Some(option));
            assert!(known(command) || below.iter().any(|command| known(command)), "--{option} of {row:?}");
        }
    }
}

#[test]
fn commands_and_features_that_the_guide_names_exist() {
    let program = cli::command();
    let guide = guide() + &file(".env.example");
    for words in guide.split("`apex-billing ").skip(1) {
        let name = words.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap();
        assert!(program.find_subcommand(name).is_some(), "apex-billing {name}");
    }
    let named = ["features set ", "/admin/features/"].map(|before| guide.split(before).skip(1).collect::<Vec<_>>()).concat();
    let names: BTreeSet<&str> =
        named.iter().map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap()).filter(|name| !name.is_empty()).collect();
    let unknown: Vec<&&str> =
        names.iter().filter(|name| **name != "NAME" && !Feature::ALL.iter().any(|feature| feature.name() == **name)).collect();
    assert!(names.contains("billingEnabled") && unknown.is_empty(), "{unknown:?}");
}
