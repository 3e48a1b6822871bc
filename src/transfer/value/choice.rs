//! Options by code or label in either language, and truth values by the words people use. An unknown text is an error
//! with the list of what would be right, never a new option.

use super::{Wrong, fold};
use crate::TargetOption;
use kernel::Code;
use serde_json::Value;
use std::collections::HashMap;

/// Option codes named in an error.
const NAMED_OPTIONS: usize = 20;

/// The options of a field, found by what a cell may hold.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    by_text: HashMap<String, String>,
    expected: String,
}

impl Choices {
    pub(crate) fn new(options: &[TargetOption]) -> Self {
        let mut by_text = HashMap::new();
        // Codes win over labels, earlier options over later ones.
        let texts = options.iter().map(|option| (&option.code, option));
        let labels = options.iter().flat_map(|option| [(&option.label.en, option), (&option.label.zh, option)]);
        for (text, option) in texts.chain(labels).filter(|(text, _)| !text.trim().is_empty()) {
            by_text.entry(fold(text)).or_insert_with(|| option.code.clone());
        }
        let codes: Vec<&str> = options.iter().take(NAMED_OPTIONS).map(|option| option.code.as_str()).collect();
        let more = if options.len() > NAMED_OPTIONS { ", …" } else { "" };
        Self { by_text, expected: format!("Expected one of: {}{more}.", codes.join(", ")) }
    }
    /// Whether a text names an option.
    pub(crate) fn knows(&self, text: &str) -> bool {
        self.by_text.contains_key(&fold(text))
    }
    /// The code of the option a text names.
    pub(crate) fn code(&self, text: &str) -> Result<&str, Wrong> {
        self.by_text
            .get(&fold(text))
            .map(String::as_str)
            .ok_or_else(|| Wrong::new(Code::ValueNotAnOption, self.expected.clone()))
    }
    /// The codes of the options that a text lists, each once, in order.
    pub(crate) fn codes(&self, text: &str, separator: Option<&str>) -> Result<Value, Wrong> {
        let items: Vec<&str> = match separator {
            Some(separator) => text.split(separator).collect(),
            None => text.split([';', ',', '|', '；', '，', '、', '\n']).collect(),
        };
        let mut codes: Vec<Value> = Vec::new();
        for item in items.into_iter().map(str::trim).filter(|item| !item.is_empty()) {
            let code = Value::String(self.code(item)?.to_owned());
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        Ok(Value::Array(codes))
    }
}

/// Reads a truth value.
pub(crate) fn boolean(text: &str) -> Result<bool, Wrong> {
    match fold(text).as_str() {
        "true" | "yes" | "y" | "t" | "1" | "on" | "x" | "是" | "有" | "真" | "对" | "√" | "✓" => Ok(true),
        "false" | "no" | "n" | "f" | "0" | "off" | "否" | "无" | "無" | "假" | "错" | "×" => Ok(false),
        _ => Err(Wrong::format("Expected yes or no (true/false, 1/0, 是/否).")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Label;
    use serde_json::json;

    fn choices() -> Choices {
        let option = |code: &str, en: &str, zh: &str| TargetOption { code: code.to_owned(), label: Label::new(en, zh) };
        Choices::new(&[option("won", "Closed won", "赢单"), option("lost", "Closed lost", "输单")])
    }

    #[test]
    fn options_by_code_and_label() {
        for text in ["won", "WON", "closed won", "赢单", "ｗｏｎ", " Won "] {
            assert_eq!(choices().code(text).unwrap(), "won");
        }
        let wrong = choices().code("secret").unwrap_err();
        assert_eq!(wrong.code, Code::ValueNotAnOption);
        assert!(wrong.detail.contains("won, lost") && !wrong.detail.contains("secret"));
        assert_eq!(choices().codes("赢单、lost; won", None).unwrap(), json!(["won", "lost"]));
        assert_eq!(choices().codes("won/lost", Some("/")).unwrap(), json!(["won", "lost"]));
        assert!(choices().codes("won/lost", None).is_err());
    }

    #[test]
    fn truth_values() {
        assert!(["Yes", "TRUE", "1", "是", "ｙ"].iter().all(|text| boolean(text) == Ok(true)));
        assert!(["No", "false", "0", "否", "OFF"].iter().all(|text| boolean(text) == Ok(false)));
        assert!(boolean("maybe").is_err());
    }
}
