//! URLs of the browser's files, which are named by their content.

use serde::Deserialize;
use std::{fs, io, path::Path};

/// The files of one build of the site. Without a built site there are none, and pages are plain
/// HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// Identifies the build.
    pub build: Option<String>,
    pub style: Option<String>,
    pub script: Option<String>,
}

/// `assets.json`, as `scripts/assets.mjs` writes it.
#[derive(Deserialize)]
struct Manifest {
    build: String,
    css: Option<String>,
    js: Option<String>,
}

impl Assets {
    /// Reads the manifest of a site.
    ///
    /// # Errors
    /// If it can't be read, except that a missing one means that no site is built.
    pub fn read(site_root: &str, folder: &str) -> io::Result<Assets> {
        let text = match fs::read(Path::new(site_root).join(folder).join("assets.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Assets::default()),
            other => other?,
        };
        let Manifest { build, css, js } = serde_json::from_slice(&text)?;
        let url = |name: Option<String>| name.map(|name| format!("/{folder}/{name}"));
        Ok(Assets { build: Some(build), style: url(css), script: url(js) })
    }
}
