//! Telephone numbers that ring nobody: German and British ones lie in the ranges that the Bundesnetzagentur and Ofcom
//! keep for films; China keeps none, so Chinese ones have four zeros in the middle. Numbers do not repeat before their
//! range is used up.

/// Counters of the ranges.
#[derive(Default)]
pub(crate) struct Numbers {
    chinese_mobile: usize,
    chinese_office: usize,
    german_mobile: usize,
    german_office: usize,
    british_mobile: usize,
    british_office: usize,
}

/// Takes the next number of a counter.
fn next(counter: &mut usize) -> usize {
    let at = *counter;
    *counter += 1;
    at
}

/// One of a few texts by turns.
fn turn<'t>(texts: &[&'t str], at: usize) -> &'t str {
    texts.get(at % texts.len().max(1)).copied().unwrap_or_default()
}

impl Numbers {
    /// A mobile number of this country; none where no range is kept for fiction.
    pub(crate) fn mobile(&mut self, country: &str) -> Option<String> {
        match country {
            "CN" => {
                let at = next(&mut self.chinese_mobile);
                // 37 has no factor in common with 10,000: every ending comes once before one repeats.
                let ending = (at / 3 * 37 + 1_203) % 10_000;
                Some(format!("+86 {} 0000 {ending:04}", turn(&["138", "130", "186"], at)))
            }
            "DE" => {
                let at = next(&mut self.german_mobile);
                Some(format!("{}{:02}", turn(&["+49 171 39200", "+49 176 040690"], at), at / 2 * 37 % 100))
            }
            "GB" => Some(format!("+44 7700 900{:03}", next(&mut self.british_mobile) * 37 % 1_000)),
            _ => None,
        }
    }

    /// An office number; `area` is the Chinese area code and has no meaning elsewhere.
    pub(crate) fn office(&mut self, country: &str, area: &str) -> Option<String> {
        match country {
            "CN" => Some(format!("+86 {area} 5000 {:04}", (next(&mut self.chinese_office) * 37 + 118) % 10_000)),
            "DE" => {
                let at = next(&mut self.german_office);
                let range = turn(&["+49 40 66969", "+49 30 23125", "+49 69 90009", "+49 89 99998"], at);
                Some(format!("{range}{:03}", (at / 4 * 37 + 104) % 1_000))
            }
            "GB" => Some(format!("+44 20 7946 0{:03}", (next(&mut self.british_office) * 37 + 51) % 1_000)),
            _ => None,
        }
    }
}
