//! Money: integer minor units and an ISO 4217 currency. Never a float, never rounded silently.

use iso_currency::Currency as Iso;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
    /// Digits after the decimal point of the minor unit: EUR 2, JPY 0, BHD 3.
    pub fn exponent(&self) -> u32 {
        Iso::from_code(self.as_str()).and_then(|iso| iso.exponent()).map_or(2, u32::from)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::Currency)?;
        Iso::from_code(text).ok_or(MoneyError::Currency)?;
        Ok(Self(bytes))
    }
}
impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}
impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not an amount of money.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency of ISO 4217.
    #[error("not a currency code of ISO 4217")]
    Currency,
    /// Not a plain decimal number.
    #[error("not an amount: write digits with a point, such as 1234.50")]
    Amount,
    /// More decimals than the currency has.
    #[error("more decimals than the currency has")]
    Precision,
    /// Beyond ±92,233,720,368,547,758.07.
    #[error("the amount is too large")]
    Range,
}

/// An amount in minor units (cents) of a currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Money {
    /// Minor units; may be negative.
    pub minor: i64,
    /// The currency they are units of.
    pub currency: Currency,
}

impl Money {
    /// Reads a decimal text (`-12.30`) exactly; decimals beyond the currency's are an error unless zero.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = usize::try_from(currency.exponent()).map_err(|_| MoneyError::Currency)?;
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(fraction) || digits.ends_with('.') {
            return Err(MoneyError::Amount);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > exponent {
            return Err(MoneyError::Precision);
        }
        let padded = format!("{}{whole}{fraction:0<exponent$}", if negative { "-" } else { "" });
        Ok(Self { minor: padded.parse().map_err(|_| MoneyError::Range)?, currency })
    }

    /// The amount as a decimal text with all decimals of the currency.
    pub fn amount(&self) -> String {
        let exponent = usize::try_from(self.currency.exponent()).unwrap_or(2);
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(exponent));
        let sign = if self.minor < 0 { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exponents_and_errors() {
        let of = |code: &str| code.parse::<Currency>().unwrap();
        assert_eq!(Money::parse("12.3", of("EUR")).unwrap().minor, 1230);
        assert_eq!(Money::parse("12.000", of("JPY")).unwrap().amount(), "12");
        assert_eq!(Money::parse("0.001", of("BHD")).unwrap().amount(), "0.001");
        assert_eq!(Money::parse("-0.05", of("CNY")).unwrap().amount(), "-0.05");
        assert_eq!(Money::parse("0.005", of("EUR")), Err(MoneyError::Precision));
        assert_eq!(Money::parse("1e3", of("EUR")), Err(MoneyError::Amount));
        assert_eq!(Money::parse("99999999999999999999", of("EUR")), Err(MoneyError::Range));
        assert_eq!("eur".parse::<Currency>(), Err(MoneyError::Currency));
    }

    proptest! {
        #[test]
        fn every_amount_round_trips(minor in any::<i64>(), code in prop::sample::select(vec!["EUR", "JPY", "BHD", "CNY"])) {
            let money = Money { minor, currency: code.parse().unwrap() };
            prop_assert_eq!(Money::parse(&money.amount(), money.currency).unwrap(), money);
        }
    }
}
