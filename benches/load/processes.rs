//! CPU time used by processes, from Linux's /proc (proc(5), `/proc/[pid]/stat`).

use anyhow::Context;
use std::{collections::HashMap, fs, time::Duration};

/// User and system time.
pub type CpuTime = Duration;

struct Process {
    parent: u32,
    /// Of the process itself, and of its children that have ended.
    ticks: u64,
}

/// CPU time of a process and all its descendants, including those that have ended.
pub fn cpu_of_tree(root: u32) -> anyhow::Result<CpuTime> {
    let mut processes = HashMap::new();
    for entry in fs::read_dir("/proc").context("the benchmark needs Linux's /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // If one ends meanwhile, its parent counts it.
        if let Some(process) = fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|stat| parse(&stat)) {
            processes.insert(pid, process);
        }
    }
    anyhow::ensure!(processes.contains_key(&root), "process {root} is not running");
    let belongs = |mut pid: u32| {
        while let Some(process) = processes.get(&pid) {
            if pid == root {
                return true;
            }
            pid = process.parent;
        }
        false
    };
    let ticks: u64 = processes.iter().filter(|(pid, _)| belongs(**pid)).map(|(_, process)| process.ticks).sum();
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_second()?))
}

fn parse(stat: &str) -> Option<Process> {
    // The second field, the name in brackets, may contain any character.
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
    // proc(5) numbers the field after the name 3: ppid is 4; utime, stime, cutime and cstime are 14
    // to 17.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Process { parent: u32::try_from(field(4)?).ok()?, ticks: (14..=17).map(field).sum::<Option<u64>>()? })
}

fn ticks_per_second() -> anyhow::Result<f64> {
    // SAFETY: reads a system constant, touches no memory.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    anyhow::ensure!(ticks > 0, "the system does not say how long a tick is");
    Ok(ticks as f64)
}
