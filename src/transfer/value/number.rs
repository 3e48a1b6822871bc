//! Numbers and amounts as people and spreadsheets write them: decimal marks, groups of three digits, currency signs,
//! parentheses for negative, percent signs, full-width digits, 万 and 亿. Exact; never a float, never a guess about a mark:
//! `1,5` is refused where the comma groups thousands, not read as fifteen.

use super::{Wrong, plain, unified};
use kernel::{Code, Currency, Money, MoneyError};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::str::FromStr;

/// Marks of a number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NumberStyle {
    /// Between whole and fraction.
    pub(crate) decimal: char,
    /// Between groups of three digits.
    pub(crate) thousands: Option<char>,
    /// The number is multiplied by this.
    pub(crate) scale: Option<Decimal>,
}

/// Where the currency of an amount comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CurrencyRule {
    /// Stated for this field: a cell that names another one is an error.
    pub(crate) stated: Option<Currency>,
    /// For cells that name none.
    pub(crate) fallback: Option<Currency>,
}

/// Signs of currencies and the codes they may mean; the first is meant where nothing else is known, unless there are several.
const SIGNS: &[(&str, &[&str])] = &[
    ("US$", &["USD"]),
    ("HK$", &["HKD"]),
    ("NT$", &["TWD"]),
    ("人民币", &["CNY"]),
    ("人民幣", &["CNY"]),
    ("新台币", &["TWD"]),
    ("新台幣", &["TWD"]),
    ("新臺幣", &["TWD"]),
    ("美元", &["USD"]),
    ("欧元", &["EUR"]),
    ("歐元", &["EUR"]),
    ("港元", &["HKD"]),
    ("日元", &["JPY"]),
    ("RMB", &["CNY"]),
    ("€", &["EUR"]),
    ("£", &["GBP"]),
    ("$", &["USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN"]),
    ("¥", &["CNY", "JPY"]),
    ("元", &["CNY", "TWD", "HKD"]),
    ("圆", &["CNY"]),
];

/// Chinese units of a number.
const UNITS: &[(char, i64)] = &[('万', 10_000), ('萬', 10_000), ('亿', 100_000_000), ('億', 100_000_000)];

/// A number stripped of everything around its digits.
struct Parts {
    digits: String,
    negative: bool,
    factor: i64,
    /// What the currency may be; several signs must agree.
    currencies: Option<Vec<Currency>>,
}

fn not_a_number() -> Wrong {
    Wrong::format("Expected a number.")
}

/// Reads a number; a currency sign or a percent sign may stand beside it. A percentage keeps its figure: `12 %` is 12.
pub(crate) fn number(text: &str, style: &NumberStyle) -> Result<Decimal, Wrong> {
    let parts = strip(text)?;
    evaluate(&parts, style)
}

/// Reads an amount of money into its wire form.
pub(crate) fn amount(
    text: &str,
    style: &NumberStyle,
    rule: &CurrencyRule,
    column: Option<&str>,
) -> Result<Value, Wrong> {
    let parts = strip(text)?;
    let decimal = evaluate(&parts, style)?;
    let column = match column.map(|code| code.trim().to_uppercase()).filter(|code| !code.is_empty()) {
        Some(code) => Some(
            code.parse::<Currency>().map_err(|_| Wrong::format("The currency column holds no code of ISO 4217."))?,
        ),
        None => None,
    };
    let stated = column.or(rule.stated);
    let currency = match (stated, &parts.currencies, rule.fallback) {
        (Some(stated), Some(told), _) if !told.contains(&stated) => {
            return Err(Wrong::format("The cell names another currency than the mapping."));
        }
        (Some(stated), _, _) => stated,
        (None, Some(told), Some(fallback)) if told.contains(&fallback) => fallback,
        (None, Some(told), _) => match told.as_slice() {
            [only] => *only,
            _ => {
                return Err(Wrong::format(
                    "The currency sign is used for several currencies; state which one is meant.",
                ));
            }
        },
        (None, None, Some(fallback)) => fallback,
        (None, None, None) => return Err(Wrong::format("No currency is stated for the amount.")),
    };
    match Money::parse(&plain(decimal), currency) {
        Ok(money) => Ok(json!({ "amount": money.amount(), "currency": currency.as_str() })),
        Err(MoneyError::Range) => Err(Wrong::new(Code::ValueRange, "The amount is too large.")),
        Err(MoneyError::Precision) => Err(Wrong::format(format!("The amount has more decimals than {currency} has."))),
        Err(_) => Err(not_a_number()),
    }
}

/// Takes signs, parentheses, currencies, percent and units off both ends.
fn strip(text: &str) -> Result<Parts, Wrong> {
    let text = unified(text).replace('\u{2212}', "-");
    let mut rest = text.trim();
    let mut parts = Parts { digits: String::new(), negative: false, factor: 1, currencies: None };
    let mut signed = false;
    if let Some(inner) = rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        (rest, signed, parts.negative) = (inner.trim(), true, true);
    }
    let mut percent = false;
    loop {
        let before = rest;
        if let Some(after) = rest.strip_prefix(['+', '-']).or_else(|| rest.strip_suffix('-')) {
            if std::mem::replace(&mut signed, true) {
                return Err(not_a_number());
            }
            parts.negative = rest.starts_with('-') || !rest.starts_with('+');
            rest = after.trim();
        }
        if let Some(after) = rest.strip_suffix('%') {
            if std::mem::replace(&mut percent, true) {
                return Err(not_a_number());
            }
            rest = after.trim();
        }
        if let Some((after, factor)) = UNITS.iter().find_map(|(unit, factor)| Some((rest.strip_suffix(*unit)?, factor)))
        {
            parts.factor =
                parts.factor.checked_mul(*factor).filter(|all| *all <= 1_000_000_000_000).ok_or_else(not_a_number)?;
            rest = after.trim();
        }
        if let Some((after, told)) = currency(rest) {
            let agreed = match parts.currencies.take() {
                None => told,
                Some(known) => known.into_iter().filter(|code| told.contains(code)).collect(),
            };
            if agreed.is_empty() {
                return Err(Wrong::format("The cell names two currencies."));
            }
            parts.currencies = Some(agreed);
            rest = after.trim();
        }
        if rest == before {
            break;
        }
    }
    parts.digits = rest.to_owned();
    Ok(parts)
}

/// A currency at either end and what is left.
fn currency(text: &str) -> Option<(&str, Vec<Currency>)> {
    let sign = SIGNS.iter().find_map(|(sign, codes)| {
        let rest = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign))?;
        Some((rest, codes.iter().filter_map(|code| code.parse().ok()).collect()))
    });
    let code = |(code, rest): (&str, &str)| Some((code.to_uppercase().parse::<Currency>().ok()?, rest.len()));
    sign.or_else(|| {
        let (known, _) = text.split_at_checked(3).and_then(code)?;
        Some((text.split_at_checked(3)?.1, vec![known]))
    })
    .or_else(|| {
        let (rest, tail) = text.split_at_checked(text.len().checked_sub(3)?)?;
        Some((rest, vec![tail.to_uppercase().parse().ok()?]))
    })
}

fn evaluate(parts: &Parts, style: &NumberStyle) -> Result<Decimal, Wrong> {
    let digits = parts.digits.as_str();
    let value = match digits.split_once(['e', 'E']) {
        Some(_) => scientific(digits, style)?,
        None => digits_of(digits, style)?,
    };
    let too_large = || Wrong::new(Code::ValueRange, "The number is too large.");
    let value = value.checked_mul(Decimal::from(parts.factor)).ok_or_else(too_large)?;
    let value = value.checked_mul(style.scale.unwrap_or(Decimal::ONE)).ok_or_else(too_large)?;
    Ok(if parts.negative { -value } else { value })
}

/// `1.5E+3`, as spreadsheets write long numbers.
fn scientific(digits: &str, style: &NumberStyle) -> Result<Decimal, Wrong> {
    let text = digits.replace(style.decimal, ".");
    if !text.chars().all(|character| character.is_ascii_digit() || ".eE+-".contains(character)) {
        return Err(not_a_number());
    }
    Decimal::from_scientific(&text).map_err(|_| not_a_number())
}

fn digits_of(digits: &str, style: &NumberStyle) -> Result<Decimal, Wrong> {
    let (whole, fraction) = digits.split_once(style.decimal).unwrap_or((digits, ""));
    let mut groups = whole.split(|character| Some(character) == style.thousands);
    let first = groups.next().unwrap_or_default();
    let mut joined = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return Err(Wrong::format(
                "Expected a number; the mark between groups of three digits stands in another place. Is it the decimal mark?",
            ));
        }
        joined.push_str(group);
    }
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(&joined) || !numeric(fraction) || (joined.is_empty() && fraction.is_empty()) {
        return Err(not_a_number());
    }
    let text = if fraction.is_empty() { joined } else { format!("{joined}.{fraction}") };
    Decimal::from_str(&text).map_err(|_| Wrong::new(Code::ValueRange, "The number has too many digits."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(decimal: char, thousands: Option<char>) -> NumberStyle {
        NumberStyle { decimal, thousands, scale: None }
    }
    fn read(text: &str, style: &NumberStyle) -> Option<String> {
        number(text, style).ok().map(plain)
    }

    #[test]
    fn numbers_as_people_write_them() {
        let english = style('.', Some(','));
        for (text, expected) in [
            ("1,234,567.50", "1234567.5"),
            ("１２３", "123"),
            ("(1,000)", "-1000"),
            ("12.5 %", "12.5"),
            ("5-", "-5"),
            ("−5", "-5"),
            ("+7", "7"),
            (".5", "0.5"),
            ("-0.00", "0"),
            ("1.5E+3", "1500"),
            ("3.2万", "32000"),
            ("1.5亿元", "150000000"),
            ("$ 9", "9"),
            ("-$9", "-9"),
            ("$-9", "-9"),
            ("007", "7"),
        ] {
            assert_eq!(read(text, &english).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "1,5", "12,34", "1.2.3", "abc", "--5", "-(5)", "1 2", ",123", "0x10", "1e", "-", "%", "1234,567"]
        {
            assert_eq!(read(text, &english), None, "{text}");
        }
        let european = style(',', Some('.'));
        assert_eq!(read("1.234.567,50", &european).as_deref(), Some("1234567.5"));
        assert_eq!(read("3000,00", &european).as_deref(), Some("3000"));
        assert_eq!(read("1.5", &european), None);
        assert_eq!(read("1\u{a0}234,5", &style(',', Some(' '))).as_deref(), Some("1234.5"));
    }

    #[test]
    fn amounts_and_their_currencies() {
        let english = style('.', Some(','));
        let of = |text: &str, stated: Option<&str>, fallback: Option<&str>| {
            let rule = CurrencyRule {
                stated: stated.map(|code| code.parse().unwrap()),
                fallback: fallback.map(|code| code.parse().unwrap()),
            };
            amount(text, &english, &rule, None)
                .ok()
                .map(|wire| format!("{} {}", wire["amount"].as_str().unwrap(), wire["currency"].as_str().unwrap()))
        };
        assert_eq!(of("1,054", Some("USD"), None).as_deref(), Some("1054.00 USD"));
        assert_eq!(of("€ 5", None, Some("USD")).as_deref(), Some("5.00 EUR"));
        assert_eq!(of("€ 5", Some("USD"), None), None);
        assert_eq!(of("¥100", None, None), None);
        assert_eq!(of("¥100", None, Some("JPY")).as_deref(), Some("100 JPY"));
        assert_eq!(of("新台幣                 10.0000元", None, None).as_deref(), Some("10.00 TWD"));
        assert_eq!(of("12.50 eur", None, None).as_deref(), Some("12.50 EUR"));
        assert_eq!(of("5", None, None), None);
        assert_eq!(of("5.001", Some("USD"), None), None);
        let scaled = NumberStyle { scale: Some(Decimal::from(1_000_000)), ..english.clone() };
        let rule = CurrencyRule { stated: "USD".parse().ok(), fallback: None };
        assert_eq!(amount("1100.04", &scaled, &rule, None).unwrap()["amount"], "1100040000.00");
        assert_eq!(amount("5", &english, &rule, Some("chf")).unwrap()["currency"], "CHF");
    }
}
