//! Every page is short enough to read, reachable, and links to what exists.

use super::{files, root};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

/// Every Markdown page for readers, by its path below the root.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut found = Vec::new();
    files(&root().join("docs"), "md", &mut found);
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name));
    let below_root = |path: &Path| path.strip_prefix(root()).unwrap().to_owned();
    let top = top.map(|path| (below_root(&path), fs::read_to_string(&path).unwrap()));
    found.into_iter().map(|(path, text)| (below_root(&path), text)).chain(top).collect()
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// A line without its code spans: what is between backticks is no link.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// The target of every link and picture of a page.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text).map(without_code) {
        for (before, after) in [("](", ")"), ("src=\"", "\""), ("srcset=\"", "\"")] {
            found.extend(line.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(target, _)| target.to_owned()));
        }
    }
    found
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let plain = heading.trim().to_lowercase().replace(' ', "-");
    plain.chars().filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c)).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let heading = |line: &str| line.starts_with('#').then(|| anchor(line.trim_start_matches('#')));
    prose(text).filter_map(heading).collect()
}

/// A relative path from a page, without `..`.
fn resolve(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().unwrap().to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{}: {target} leaves the repository", page.display()),
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    path
}

/// The pages and files that a page links to, with the anchors.
fn links(page: &Path, text: &str) -> Vec<(PathBuf, Option<String>)> {
    let inside = |target: &String| !target.contains("://") && !target.starts_with("mailto:");
    let split = |target: String| match target.split_once('#') {
        Some(("", anchor)) => (page.to_owned(), Some(anchor.to_owned())),
        Some((path, anchor)) => (resolve(page, path), Some(anchor.to_owned())),
        None => (resolve(page, &target), None),
    };
    targets(text).into_iter().filter(inside).map(split).collect()
}

#[test]
fn links_and_anchors_are_read_as_github_reads_them() {
    assert_eq!(anchor(" Stripe's billing meters"), "stripes-billing-meters");
    assert_eq!(anchor(" Setting or changing `SECRETS_KEY`"), "setting-or-changing-secrets_key");
    assert_eq!(anchor(" 1. Switch billing off"), "1-switch-billing-off");
    let text = "# A b\n[x](c.md#d) `[y](z)`\n```\n[n](o)\n```\n<img src=\"e.webp\">";
    assert_eq!(targets(text), ["c.md#d", "e.webp"]);
    assert_eq!(anchors(text), BTreeSet::from(["a-b".to_owned()]));
    assert_eq!(resolve(Path::new("docs/guide/a.md"), "../operate/b.md"), Path::new("docs/operate/b.md"));
}

#[test]
fn every_relative_link_and_anchor_exists() {
    let pages = pages();
    let mut seen = 0;
    for (page, text) in &pages {
        for (target, anchor) in links(page, text) {
            seen += 1;
            assert!(root().join(&target).exists(), "{}: {} does not exist", page.display(), target.display());
            if let Some(anchor) = anchor {
                let text = pages.get(&target).unwrap_or_else(|| panic!("{}: {} has no anchors", page.display(), target.display()));
                assert!(anchors(text).contains(&anchor), "{}: {}#{anchor} does not exist", page.display(), target.display());
            }
        }
    }
    assert!(seen > 150, "{seen} links");
}

#[test]
fn every_page_is_reachable_from_the_index() {
    let pages = pages();
    let index = PathBuf::from("docs/README.md");
    let linked: BTreeSet<PathBuf> = links(&index, &pages[&index]).into_iter().map(|(path, _)| path).collect();
    let missing: Vec<_> =
        pages.keys().filter(|page| **page != index && **page != Path::new("README.md") && !linked.contains(*page)).collect();
    assert!(missing.is_empty(), "not in docs/README.md: {missing:?}");
}

#[test]
fn pages_open_with_what_the_reader_gets() {
    let docs = pages().into_iter().filter(|(page, _)| page.starts_with("docs"));
    for (page, text) in docs {
        let opening = text.lines().filter(|line| !line.is_empty()).nth(1).unwrap_or_default();
        assert!(text.starts_with("# ") && opening.starts_with("After this page "), "{}: {opening}", page.display());
    }
}

#[test]
fn the_first_pages_are_short() {
    for (page, limit) in [("README.md", 150), ("ARCHITECTURE.md", 150), ("CONTRIBUTING.md", 150), ("SECURITY.md", 70)] {
        let lines = pages()[Path::new(page)].lines().count();
        assert!(lines <= limit, "{page} has {lines} lines, more than {limit}");
    }
}

/// GitHub shows no picture above 10 MB, and readers wait for large ones.
#[test]
fn screenshots_are_small_and_shown() {
    let readme = &pages()[Path::new("README.md")];
    let pictures: Vec<PathBuf> = fs::read_dir(root().join("docs/screenshots")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!pictures.is_empty());
    for picture in pictures {
        let name = picture.file_name().unwrap().to_str().unwrap();
        assert!(readme.contains(&format!("docs/screenshots/{name}")), "README.md does not show {name}");
        assert!(picture.metadata().unwrap().len() <= 150_000, "{name}");
    }
}

/// Operators read the pages from the archive of a release.
#[test]
fn the_archive_has_everything_that_pages_link_to() {
    let script = fs::read_to_string(root().join("scripts/release.sh")).unwrap();
    let copied = script.lines().filter_map(|line| line.strip_prefix("cp -R ")?.strip_suffix(" \"$packed/\""));
    let packed: BTreeSet<&str> = copied.flat_map(str::split_whitespace).collect();
    for (page, text) in &pages() {
        for (target, _) in links(page, text) {
            let top = target.components().next().unwrap().as_os_str().to_str().unwrap();
            assert!(packed.contains(top), "{}: {} is not in the archive", page.display(), target.display());
        }
    }
}

/// What stands between backticks, outside of fenced code.
fn code_spans(text: &str) -> impl Iterator<Item = String> {
    prose(text).flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
}

/// A moved file takes its name in the pages along.
#[test]
fn every_path_that_pages_name_exists() {
    const TOP: [&str; 9] = ["benches/", "deploy/", "docs/", "end2end/", "migrations/", "scripts/", "src/", "style/", "tests/"];
    let mut seen = 0;
    for (page, text) in &pages() {
        let is_path =
            |span: &String| TOP.iter().any(|top| span.starts_with(top)) && !span.contains([' ', '…', '*', '{']) && !span.contains("NNNN");
        for path in code_spans(text).filter(is_path) {
            seen += 1;
            let path = path.split(':').next().unwrap();
            assert!(root().join(path).exists(), "{}: {path} does not exist", page.display());
        }
    }
    assert!(seen > 80, "{seen} paths");
}

/// `service::usage::current` is a name in `src/service/usage.rs` or below `src/service/usage`.
fn resolves(name: &str) -> bool {
    let segments: Vec<&str> = name.split("::").collect();
    let module = |length: usize| root().join("src").join(segments[..length].join("/"));
    let exists = |length: &usize| module(*length).with_extension("rs").exists() || module(*length).is_dir();
    let Some(length) = (1..=segments.len()).rev().find(exists) else { return false };
    let mut sources = vec![(PathBuf::new(), fs::read_to_string(module(length).with_extension("rs")).unwrap_or_default())];
    if module(length).is_dir() {
        files(&module(length), "rs", &mut sources);
    }
    let is_word = |text: &str, word: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word);
    segments[length..].iter().all(|segment| sources.iter().any(|(_, text)| is_word(text, segment)))
}

#[test]
fn every_module_that_pages_name_exists() {
    let modules: BTreeSet<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let is_name = |span: &String| {
        let plain = |segment: &str| !segment.is_empty() && segment.chars().all(|c| c.is_alphanumeric() || c == '_');
        span.split_once("::").is_some_and(|(first, _)| modules.contains(first)) && span.split("::").all(plain)
    };
    // `asvs.md` names tests.
    let pages = pages().into_iter().filter(|(page, _)| !page.ends_with("asvs.md"));
    let missing: Vec<String> = pages
        .flat_map(|(page, text)| code_spans(&text).filter(is_name).map(move |name| (page.clone(), name)).collect::<Vec<_>>())
        .filter(|(_, name)| !resolves(name))
        .map(|(page, name)| format!("{}: {name}", page.display()))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(resolves("service::usage::current") && !resolves("service::usage::nowhere") && !resolves("nowhere::at_all"));
}
