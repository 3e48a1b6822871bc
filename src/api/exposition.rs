//! Figures as Prometheus reads them: its text format, version 0.0.4. Labels are few and known beforehand: names of routes, targets
//! and checks, never anything of a record or a person.

use std::fmt::Write;

/// The media type.
pub(crate) const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of figures.
#[derive(Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins a family: `counter`, `gauge` or `histogram`.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a text cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }
    /// One figure of the family that was begun.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { "{" } else { "," });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
    /// A family of one figure.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_of_prometheus() {
        let mut page = Exposition::default();
        page.one("a_total", "counter", "How many.", 3.0);
        page.sample("b", &[("x", "a\"b\\c\n"), ("y", "z")], 0.25);
        let told =
            "# HELP a_total How many.\n# TYPE a_total counter\na_total 3\nb{x=\"a\\\"b\\\\c\\n\",y=\"z\"} 0.25\n";
        assert_eq!(page.into_text(), told);
    }
}
