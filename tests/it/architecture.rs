//! Imports run one way: no module imports a module above it, and no files import each other in a
//! circle.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The modules of the program from the top down. A module may import those after it.
const ORDER: [&str; 22] = [
    "cli",
    "demo",
    "server",
    "jobs",
    "api",
    "http",
    "app",
    "guard",
    "service",
    "checklist",
    "store",
    "private_postgres",
    "stripe_stand_in",
    "stripe",
    "pdf",
    "mail",
    "auth",
    "telemetry",
    "config",
    "text",
    "domain",
    "lib",
];

/// Source files by their module's path: `["store", "usage"]` for `src/store/usage.rs`.
fn sources(folder: &Path, path: &[String], found: &mut BTreeMap<Vec<String>, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let module: Vec<String> = path.iter().cloned().chain([file.file_stem().unwrap().to_str().unwrap().to_owned()]).collect();
        if file.join("Cargo.toml").exists() {
            // A package of its own.
        } else if file.is_dir() {
            sources(&file, &module, found);
        } else if file.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&file).unwrap();
            // Tests may import what they like.
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code: String = code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
            found.insert(module, code);
        }
    }
}

/// The paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn flatten(prefix: &[&str], tree: &str, found: &mut Vec<Vec<String>>) {
    let (mut depth, mut start) = (0, 0);
    let ends: Vec<usize> = tree
        .char_indices()
        .filter(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            *c == ',' && depth == 0
        })
        .map(|(at, _)| at)
        .chain([tree.len()])
        .collect();
    for end in ends {
        let part = tree[start..end].trim();
        start = end + 1;
        if let Some((path, group)) = part.split_once('{') {
            let path: Vec<&str> = prefix.iter().copied().chain(path.split("::").filter(|name| !name.trim().is_empty())).collect();
            flatten(&path, group.trim_end().trim_end_matches('}'), found);
        } else if !part.is_empty() {
            let path = part.split(" as ").next().unwrap().split("::").filter(|name| *name != "self");
            found.push(prefix.iter().copied().chain(path).map(|name| name.trim().to_owned()).collect());
        }
    }
}

/// Every path that begins with `crate` or `super`, imported or written out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let begins = at == 0 || rest[..at].ends_with(['\n', ' ']);
        let tree = &rest[at + 4..];
        let end = tree.find(';').unwrap_or(tree.len());
        if begins && (tree.starts_with("crate") || tree.starts_with("super")) {
            flatten(&[], &tree[..end], &mut found);
        }
        rest = &tree[end..];
    }
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let written = &code[at..];
            let end = written.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(written.len());
            found.push(written[..end].split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect());
        }
    }
    found
}

/// The file that a path leads to, as seen from a module.
fn target<'a>(from: &[String], path: &[String], files: &'a BTreeMap<Vec<String>, String>) -> Option<&'a Vec<String>> {
    let mut absolute: Vec<String> = if path[0] == "crate" { Vec::new() } else { from.to_vec() };
    for name in path {
        match name.as_str() {
            "crate" => {}
            "super" => drop(absolute.pop()),
            name => absolute.push(name.to_owned()),
        }
    }
    while !absolute.is_empty() {
        if let Some((module, _)) = files.get_key_value(&absolute) {
            return Some(module);
        }
        absolute.pop();
    }
    None
}

/// Which files each file imports.
fn imports() -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let mut files = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut files);
    let of = |module: &Vec<String>, code: &String| {
        let targets = paths(code).into_iter().filter_map(|path| target(module, &path, &files).cloned());
        targets.filter(|target| target != module).collect::<BTreeSet<_>>()
    };
    let imports: BTreeMap<_, _> = files.iter().map(|(module, code)| (module.clone(), of(module, code))).collect();
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 1_000, "the imports are not found any more");
    imports
}

#[test]
fn no_module_imports_one_above_it() {
    let place = |module: &str| ORDER.iter().position(|name| *name == module);
    let mut upward = BTreeSet::new();
    for (module, targets) in imports() {
        if module[0] == "main" {
            continue;
        }
        let from = place(&module[0]).unwrap_or_else(|| panic!("src/{} has no place in the order of modules", module[0]));
        for target in targets {
            let to = place(&target[0]).unwrap_or_else(|| panic!("src/{} has no place in the order of modules", target[0]));
            if to < from {
                upward.insert(format!("{} imports {}", module.join("::"), target.join("::")));
            }
        }
    }
    assert!(upward.is_empty(), "imports that run upwards: {upward:#?}");
}

#[test]
fn the_standin_for_stripe_uses_domain_alone() {
    for (module, targets) in imports() {
        let foreign: Vec<_> = targets
            .iter()
            .filter(|target| module[0] == "stripe_stand_in" && !["stripe_stand_in", "domain"].contains(&target[0].as_str()))
            .collect();
        assert!(foreign.is_empty(), "{} imports {foreign:?}", module.join("::"));
    }
}

/// The files that can be reached from one.
fn reachable<'a>(from: &'a Vec<String>, imports: &'a BTreeMap<Vec<String>, BTreeSet<Vec<String>>>, seen: &mut BTreeSet<&'a Vec<String>>) {
    for target in &imports[from] {
        if seen.insert(target) {
            reachable(target, imports, seen);
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = imports();
    let circles: Vec<String> = imports
        .keys()
        .filter(|module| {
            let mut seen = BTreeSet::new();
            reachable(module, &imports, &mut seen);
            seen.contains(module)
        })
        .map(|module| module.join("::"))
        .collect();
    assert!(circles.is_empty(), "files that import themselves by way of others: {circles:#?}");
}
