//! Binding of values: number marks, currencies, formats of dates and times, from the rule, the defaults or the sample.
//! A column whose dates can be read in two ways is an error, never a guess.

use super::{Defaults, FieldRule, bind::Binder, plan::TextRule};
use crate::{
    TargetField, TargetKind,
    value::{
        Choices, CurrencyRule, DateRule, FoundFormats, NumberStyle, TimeRule, ValueRule, find_date_formats,
        format_problem,
    },
};
use chrono::FixedOffset;
use kernel::Currency;
use rust_decimal::Decimal;
use std::str::FromStr;

impl Binder<'_> {
    /// How the text of a field becomes a value; `None` after a fault.
    pub(super) fn value(
        &mut self,
        pointer: &str,
        field: &TargetField,
        rule: &FieldRule,
        text: &TextRule,
    ) -> Option<ValueRule> {
        Some(match &field.kind {
            TargetKind::Text | TargetKind::Address | TargetKind::Reference { .. } => ValueRule::Text,
            TargetKind::Integer => ValueRule::Integer(self.style(pointer, rule)?),
            TargetKind::Decimal => ValueRule::Decimal(self.style(pointer, rule)?),
            TargetKind::Money => ValueRule::Money(self.style(pointer, rule)?, self.currency(pointer, rule)?),
            TargetKind::Date => ValueRule::Date(self.dates(pointer, rule, text)?),
            TargetKind::Timestamp => ValueRule::Timestamp(self.times(pointer, rule)?),
            TargetKind::Bool => ValueRule::Bool,
            TargetKind::Enum { options } => ValueRule::Enum(Choices::new(options)),
            TargetKind::MultiEnum { options } => ValueRule::MultiEnum(Choices::new(options), rule.separator.clone()),
            TargetKind::Json => ValueRule::Json,
        })
    }

    fn style(&mut self, pointer: &str, rule: &FieldRule) -> Option<NumberStyle> {
        let Defaults { decimal, thousands, .. } = &self.mapping.defaults;
        let decimal = rule.decimal.unwrap_or(*decimal);
        let grouping = rule.thousands.as_ref().unwrap_or(thousands);
        let mut marks = grouping.chars();
        // A non-breaking blank is unified to a blank before numbers are read.
        let first = marks.next().map(|mark| if mark.is_whitespace() { ' ' } else { mark });
        // Whoever states a decimal comma need not also take the default comma away from the groups.
        let first = first.filter(|mark| rule.thousands.is_some() || rule.decimal != Some(*mark));
        let bad = |mark: char| mark.is_alphanumeric() || "+-%()".contains(mark);
        if marks.next().is_some() || bad(decimal) || first.is_some_and(bad) || first == Some(decimal) {
            self.fault(
                pointer,
                "decimal and thousands must be two different marks of one character; thousands may be empty.",
            );
            return None;
        }
        let scale = match &rule.scale {
            None => None,
            Some(number) => {
                let text = number.to_string();
                let Ok(scale) = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)) else {
                    self.fault(format!("{pointer}/scale"), "scale is not a usable number.");
                    return None;
                };
                Some(scale)
            }
        };
        Some(NumberStyle { decimal, thousands: first, scale })
    }

    fn currency(&mut self, pointer: &str, rule: &FieldRule) -> Option<CurrencyRule> {
        let defaults = &self.mapping.defaults;
        let mut read = |place: String, code: Option<&String>| match code.map(|code| code.parse::<Currency>()) {
            None => Some(None),
            Some(Ok(currency)) => Some(Some(currency)),
            Some(Err(_)) => {
                self.fault(place, "The currency is no code of ISO 4217, such as CNY.");
                None
            }
        };
        let stated = read(format!("{pointer}/currency"), rule.currency.as_ref())?;
        let fallback = read("/defaults/currency".to_owned(), defaults.currency.as_ref())?;
        // With a column the field's own currency is for the rows whose column is empty.
        Some(if rule.currency_column.is_some() {
            CurrencyRule { stated: None, fallback: stated.or(fallback) }
        } else {
            CurrencyRule { stated, fallback }
        })
    }

    fn dates(&mut self, pointer: &str, rule: &FieldRule, text: &TextRule) -> Option<DateRule> {
        let stated: Vec<String> = match &rule.format {
            Some(format) => vec![format.clone()],
            None => self.mapping.defaults.date_formats.clone(),
        };
        if let Some(problem) = stated.iter().find_map(|format| format_problem(format)) {
            self.fault(pointer, problem);
            return None;
        }
        if !stated.is_empty() {
            return Some(DateRule { formats: stated });
        }
        let texts: Vec<String> =
            self.source.sample().iter().filter_map(|record| text.read(&record.cells).ok().flatten()).collect();
        match find_date_formats(texts.iter().map(String::as_str)) {
            FoundFormats::Some(formats) => Some(DateRule { formats }),
            FoundFormats::None if texts.is_empty() => Some(DateRule { formats: vec!["%Y-%m-%d".to_owned()] }),
            FoundFormats::None => {
                self.fault(pointer, "No known format fits most of the dates; state the format, such as %d.%m.%Y.");
                None
            }
            FoundFormats::Ambiguous(one, other) => {
                self.fault(pointer, format!("All dates of the sample fit both {one} and {other}; state the format."));
                None
            }
        }
    }

    fn times(&mut self, pointer: &str, rule: &FieldRule) -> Option<TimeRule> {
        let formats: Vec<String> = rule.format.iter().cloned().collect();
        if let Some(problem) = formats.iter().find_map(|format| format_problem(format)) {
            self.fault(format!("{pointer}/format"), problem);
            return None;
        }
        let stated = self.mapping.defaults.utc_offset.as_ref();
        let offset = match stated.map(|text| FixedOffset::from_str(text)) {
            None => {
                self.warn(
                    "Times without an offset are read as UTC; state defaults.utc_offset if they are local.".to_owned(),
                );
                FixedOffset::east_opt(0)
            }
            Some(Ok(offset)) => Some(offset),
            Some(Err(_)) => {
                self.fault("/defaults/utc_offset", "Expected an offset from UTC such as +08:00.");
                None
            }
        };
        Some(TimeRule { formats, offset: offset? })
    }
}
