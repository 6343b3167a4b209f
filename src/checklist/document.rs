//! The checklist's document, and its report.

use super::{DOCUMENT, Findings, Verdict};
use serde_json::{Value, json};
use std::fmt;

/// One box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The headings above it, the innermost last.
    pub sections: Vec<String>,
    /// Indentation, for nested boxes.
    pub indent: usize,
    pub text: String,
    /// The name of its check; none for manual boxes.
    pub check: Option<String>,
}

/// All boxes of the checklist, in order.
pub fn boxes() -> Vec<Item> {
    let mut sections: Vec<(usize, String)> = Vec::new();
    let mut found = Vec::new();
    let mut code = false;
    for line in DOCUMENT.lines() {
        code ^= line.trim_start().starts_with("```");
        if code {
            continue;
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if level > 0 {
            sections.retain(|(above, _)| *above < level);
            sections.push((level, line[level..].trim().to_owned()));
            continue;
        }
        let Some((before, text)) = line.split_once("[ ] ") else { continue };
        let (text, check) = match text.split_once(" <!-- ") {
            Some((text, check)) => (text, Some(check.trim_end_matches("-->").trim().to_owned())),
            None => (text, None),
        };
        found.push(Item {
            // The document's title is above all.
            sections: sections.iter().filter(|(level, _)| *level > 1).map(|(_, title)| title.clone()).collect(),
            indent: before.len() - before.trim_start().len(),
            text: text.to_owned(),
            check,
        });
    }
    found
}

/// Prints the checklist with its results.
#[derive(Debug)]
pub struct Report {
    findings: Findings,
}

/// Number of boxes per result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub unchecked: usize,
    pub people: usize,
}

impl Report {
    pub fn new(findings: Findings) -> Report {
        Report { findings }
    }

    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    fn verdict(&self, item: &Item) -> Option<Verdict> {
        let check = item.check.as_ref()?;
        // An unknown check must not pass; a test rejects unknown names.
        Some(self.findings.of(check).cloned().unwrap_or_else(|| Verdict::Unchecked(format!("unknown check {check}"))))
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for item in boxes() {
            match self.verdict(&item) {
                None => counts.people += 1,
                Some(Verdict::Passed(_)) => counts.passed += 1,
                Some(Verdict::Failed { .. }) => counts.failed += 1,
                Some(Verdict::Unchecked(_)) => counts.unchecked += 1,
            }
        }
        counts
    }

    pub fn to_json(&self) -> Value {
        let boxes = boxes().into_iter().map(|item| {
            let mut entry = json!({"sections": item.sections, "text": item.text, "check": item.check});
            let (result, more) = match self.verdict(&item) {
                None => ("people", json!({})),
                Some(Verdict::Passed(detail)) => ("passed", json!({"detail": detail})),
                Some(Verdict::Failed { reason, fix }) => ("failed", json!({"reason": reason, "fix": fix})),
                Some(Verdict::Unchecked(needs)) => ("unchecked", json!({"needs": needs})),
            };
            entry["result"] = result.into();
            if let (Some(entry), Value::Object(more)) = (entry.as_object_mut(), more) {
                entry.extend(more);
            }
            entry
        });
        let Counts { passed, failed, unchecked, people } = self.counts();
        json!({"passed": passed, "failed": failed, "unchecked": unchecked, "people": people, "boxes": boxes.collect::<Vec<_>>()})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<String> = Vec::new();
        for item in boxes() {
            let same = shown.iter().zip(&item.sections).take_while(|(shown, wanted)| shown == wanted).count();
            for (depth, title) in item.sections.iter().enumerate().skip(same) {
                writeln!(f, "\n{} {title}", "#".repeat(depth + 2))?;
            }
            shown.clone_from(&item.sections);
            let indent = " ".repeat(item.indent);
            match self.verdict(&item) {
                None => writeln!(f, "{indent}[-] {}", item.text)?,
                Some(Verdict::Passed(detail)) => writeln!(f, "{indent}[x] {} ({detail})", item.text)?,
                Some(Verdict::Failed { reason, fix }) => {
                    writeln!(f, "{indent}[ ] {}\n{indent}    {reason}\n{indent}    To fix: {fix}", item.text)?;
                }
                Some(Verdict::Unchecked(needs)) => writeln!(f, "{indent}[?] {}\n{indent}    Not checked: {needs}", item.text)?,
            }
        }
        let Counts { passed, failed, unchecked, people } = self.counts();
        write!(f, "\n{passed} boxes ticked, {failed} failed, {unchecked} not checked, {people} for people\n")
    }
}
