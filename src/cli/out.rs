//! The one writer of the command line: answers on the output stream, everything else on the error stream.
//! A reader that went away (`kontor … | head`) ends the output quietly.

use kernel::Code;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use crate::cli::failure::Failure;

/// Both streams.
pub(crate) struct Out {
    answers: BufWriter<Box<dyn Write>>,
    notes: Box<dyn Write>,
}

impl Out {
    /// The streams of this process.
    pub(crate) fn of_process() -> Self {
        Self { answers: BufWriter::new(Box::new(io::stdout())), notes: Box::new(io::stderr()) }
    }
    /// One line of the answer.
    pub(crate) fn line(&mut self, text: impl Display) {
        // Whoever stopped reading does not want the rest.
        let _ = writeln!(self.answers, "{text}");
    }
    /// The answer as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        self.line(text);
        self.flush();
        Ok(())
    }
    /// One line beside the answer: progress, questions, errors.
    pub(crate) fn note(&mut self, text: impl Display) {
        self.flush();
        let _ = writeln!(self.notes, "{text}");
    }
    /// Makes sure that what was said so far can be read.
    pub(crate) fn flush(&mut self) {
        let _ = self.answers.flush();
    }
    /// Rows under a head, in columns as wide as they need to be.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = head.iter().map(|cell| width(cell)).collect();
        for row in rows {
            for (known, cell) in widths.iter_mut().zip(row) {
                *known = (*known).max(width(cell));
            }
        }
        let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
        for row in std::iter::once(&head).chain(rows) {
            let mut line = String::new();
            for (cell, room) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(room - width(cell) + 2));
            }
            self.line(line.trim_end());
        }
    }
}

/// Whether a person can be asked.
pub(crate) fn person_present() -> bool {
    io::stdin().is_terminal()
}

/// Columns of a terminal: Chinese characters take two (East Asian Width W and F of UAX #11, the common blocks).
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}') { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(super::width("客户 a"), 6);
    }
}
