//! The appliance as a process: commands that end, and the server. Watches their memory from outside, as an operator would.

use crate::Outcome;
use kernel::Clock;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Memory of a process in KiB: all that is resident, and the part that no file backs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Memory {
    pub(crate) resident_kib: u64,
    pub(crate) anonymous_kib: u64,
}

impl Memory {
    pub(crate) fn of(process: u32) -> Self {
        let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Self { resident_kib: field("VmRSS:"), anonymous_kib: field("RssAnon:") }
    }
    /// The larger of each.
    pub(crate) fn larger(self, other: Self) -> Self {
        Self {
            resident_kib: self.resident_kib.max(other.resident_kib),
            anonymous_kib: self.anonymous_kib.max(other.anonymous_kib),
        }
    }
}

/// What a command took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Taken {
    pub(crate) seconds: f64,
    /// The most in the first half of its time, and in all of it: alike when memory is constant.
    pub(crate) memory_first_half: Memory,
    pub(crate) memory_most: Memory,
}

/// The binary and the folder of the appliance it works on.
pub(crate) struct Kontor<'a> {
    pub(crate) program: &'a Path,
    pub(crate) dir: &'a Path,
    pub(crate) scratch: &'a Path,
    pub(crate) clock: &'a dyn Clock,
}

impl Kontor<'_> {
    fn command(&self, arguments: &[&str]) -> Outcome<(Command, PathBuf)> {
        let output = self.scratch.join("kontor.out");
        let mut command = Command::new(self.program);
        command.args(arguments).arg("--dir").arg(self.dir).stdin(Stdio::null());
        command.stdout(File::create(&output)?).stderr(File::create(self.scratch.join("kontor.err"))?);
        Ok((command, output))
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<(String, Taken)> {
        let (mut command, output) = self.command(arguments)?;
        let began = self.clock.monotonic();
        let mut child = command.spawn()?;
        let mut seen: Vec<Memory> = Vec::new();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            seen.push(Memory::of(child.id()));
            std::thread::park_timeout(LOOK_EVERY);
        };
        let seconds = (self.clock.monotonic() - began).as_secs_f64();
        let most = |seen: &[Memory]| seen.iter().copied().fold(Memory::default(), Memory::larger);
        let first = seen.get(..seen.len() / 2).unwrap_or_default();
        let taken = Taken { seconds, memory_first_half: most(first), memory_most: most(&seen) };
        self.told(arguments, status)?;
        Ok((std::fs::read_to_string(output)?, taken))
    }

    fn told(&self, arguments: &[&str], status: ExitStatus) -> Outcome<()> {
        if status.success() {
            return Ok(());
        }
        let said = std::fs::read_to_string(self.scratch.join("kontor.err")).unwrap_or_default();
        let printed = std::fs::read_to_string(self.scratch.join("kontor.out")).unwrap_or_default();
        Err(format!("kontor {} ended with {status}\n{said}\n{printed}", arguments.join(" ")).into())
    }

    /// Starts the server. Whether it answers is for the caller to find out.
    pub(crate) fn serve(&self) -> Outcome<Server> {
        let (mut command, _) = self.command(&["serve"])?;
        Ok(Server(command.spawn()?))
    }
}

/// A serving appliance; told to stop when dropped, and waited for.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn memory(&self) -> Memory {
        Memory::of(self.0.id())
    }
    /// Processor time it has taken so far, in microseconds, to a hundredth of a second.
    pub(crate) fn processor_micros(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        // The name in brackets may hold spaces; user and system time are the 12th and 13th word after it.
        let words = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u64 = words.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
        ticks * 10_000
    }
    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}
