//! The contents of `make release`, as far as testable without a release build; scripts/release.sh
//! tests the archive in Chromium.

use crate::support::program::Workplace;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Instruction and arguments of each line, without comments.
fn instructions(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or_else(|| panic!("{line}: no arguments")))
        .map(|(name, arguments)| (name.to_owned(), arguments.to_owned()))
        .collect()
}

/// The archive's files and folders, from the commands in scripts/release.sh.
fn packed() -> Vec<String> {
    let script = read("scripts/release.sh");
    let copied =
        script.lines().filter_map(|line| line.strip_prefix("cp -R ")?.strip_suffix(" \"$packed/\"")).flat_map(str::split_whitespace);
    let named = script.split("\"$packed/").skip(1).filter_map(|rest| rest.split_once('"')).map(|(path, _)| path);
    copied.chain(named).filter(|path| !path.is_empty()).map(str::to_owned).collect()
}

/// Every file below a folder, with the time of its last change.
fn files(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(
            |path| {
                if path.is_dir() { files(&path) } else { BTreeMap::from([(path.clone(), path.metadata().unwrap().modified().unwrap())]) }
            },
        )
        .collect()
}

#[test]
fn the_image_consists_of_the_archive() {
    const KNOWN: [&str; 12] =
        ["ARG", "FROM", "COPY", "RUN", "WORKDIR", "USER", "ENV", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
    let found = instructions(&read("deploy/Dockerfile"));
    let unknown: Vec<_> = found.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let all = |wanted: &str| -> Vec<&str> { found.iter().filter(|(name, _)| name == wanted).map(|(_, rest)| rest.as_str()).collect() };
    let place = |wanted: &str| found.iter().position(|(name, _)| name == wanted).unwrap_or_else(|| panic!("no {wanted}"));

    // Nothing is built or installed: the program is the tested one.
    let (arguments, commands) = (all("ARG"), all("RUN"));
    assert_eq!(arguments, ["DEBIAN=bookworm-slim", "ARCHIVE"]);
    for command in &commands {
        for built in ["make", "cargo", "apt-get", "wasm-opt", "curl"] {
            assert!(!command.contains(built), "{command}");
        }
    }
    assert_eq!(all("COPY"), ["${ARCHIVE} /archive.tar.gz", "--from=unpacked /app /app"]);
    assert!(all("FROM")[0].ends_with("AS unpacked"));
    assert!(commands.iter().any(|command| command.contains("tar -xzf /archive.tar.gz --strip-components=1 -C /app")), "{commands:?}");

    // The started program is in the archive, with settings and site in its working directory.
    let packed = packed();
    let program = all("ENTRYPOINT")[0].trim_matches(['[', ']', '"']).strip_prefix("/app/").unwrap();
    for needed in [program, "Leptos.toml", "target/site"] {
        assert!(packed.iter().any(|path| path == needed), "{needed}: {packed:?}");
    }
    assert_eq!(all("WORKDIR"), ["/app"]);
    assert_eq!(all("CMD"), [r#"["serve"]"#]);
    let help = Command::new(env!("CARGO_BIN_EXE_apex-billing")).args(["serve", "--help"]).output().unwrap();
    assert!(help.status.success());

    // Unprivileged, with the ports on which it listens.
    assert!(place("USER") < place("ENTRYPOINT") && all("USER") == ["apex-billing"]);
    let settings: BTreeMap<&str, &str> = all("ENV")[0].split(' ').map(|pair| pair.split_once('=').unwrap()).collect();
    let port = |name: &str| settings[name].rsplit_once(':').unwrap().1;
    assert_eq!(all("EXPOSE")[0], format!("{} {}", port("LEPTOS_SITE_ADDR"), port("METRICS_ADDR")));
    assert!(all("HEALTHCHECK")[0].contains(&format!("/dev/tcp/127.0.0.1/{} ", port("LEPTOS_SITE_ADDR"))));

    // Only archives are sent to the builder.
    assert_eq!(read("deploy/Dockerfile.dockerignore").lines().collect::<Vec<_>>(), ["*", "!target/apex-billing-*.tar.gz"]);
    assert!(read("scripts/release.sh").contains("name=apex-billing-$version-"));
}

#[test]
fn a_release_does_not_change_the_running_site() {
    let place = Workplace::new();
    let site = place.0.join("site-release");
    let before = files(&root().join("target/site"));
    let status =
        Command::new("node").current_dir(root()).args(["scripts/assets.mjs", site.to_str().unwrap(), "wasm-release"]).status().unwrap();
    assert!(status.success());
    let names: Vec<String> = files(&site).keys().map(|path| path.strip_prefix(&site).unwrap().to_str().unwrap().to_owned()).collect();
    for (start, end) in [
        ("favicon", ".svg"),
        ("favicon", ".svg.br"),
        ("pkg/apex_billing.", ".css"),
        ("pkg/apex_billing.", ".css.br"),
        ("pkg/apex_billing.", ".css.gz"),
    ] {
        assert!(names.iter().any(|name| name.starts_with(start) && name.ends_with(end)), "{start}…{end}: {names:?}");
    }
    assert_eq!(files(&root().join("target/site")), before);
}

#[test]
fn no_tool_rewrites_the_wasm_of_a_release() {
    for script in ["scripts/build-site.sh", "scripts/release.sh", "deploy/Dockerfile"] {
        let commands: Vec<String> = read(script).lines().map(str::trim).filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        assert!(!commands.iter().any(|line| line.contains("wasm-opt") || line.contains("binaryen")), "{script}");
    }
    let release = read("scripts/release.sh");
    let (test, archive) = (release.find("playwright test tests/main.spec.ts").unwrap(), release.find("mv \"$work/$name.tar.gz\"").unwrap());
    assert!(test < archive, "the archive appears only after Chromium has used it");
}
