//! docs/develop/dependencies.md against Cargo.toml.

use std::{collections::BTreeSet, fs, path::Path};

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The rows of the table in a section of the page, each with its cells.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split_once(&format!("\n## {heading}\n")).expect("the section").1;
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

#[test]
fn every_direct_dependency_has_a_row() {
    let manifests: [toml::Table; 2] = ["Cargo.toml", "src/islands/Cargo.toml"].map(|path| file(path).parse().unwrap());
    let direct: BTreeSet<&str> = manifests
        .iter()
        .flat_map(|manifest| [manifest.get("dependencies"), manifest.get("dev-dependencies")])
        .flatten()
        .flat_map(|table| table.as_table().unwrap().keys())
        .map(String::as_str)
        .collect();
    let page = file("docs/develop/dependencies.md");
    let rows = rows(&page, "Direct dependencies");
    let documented: BTreeSet<&str> = rows.iter().map(|cells| cells[0].trim_matches('`')).collect();
    assert_eq!(documented, direct);
    assert_eq!(rows.len(), documented.len(), "one row each");
    for cells in &rows {
        assert!(cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty()), "{cells:?}");
    }
}

#[test]
fn hand_written_infrastructure_is_where_the_page_says() {
    let page = file("docs/develop/dependencies.md");
    let rows = rows(&page, "Infrastructure that is written by hand");
    assert!(rows.len() > 10 && rows.iter().all(|cells| cells.len() == 3), "{rows:?}");
    for path in rows.iter().flat_map(|cells| cells[0].split('`')).filter(|text| text.starts_with("src/") || text.starts_with("scripts/")) {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path}");
    }
}
