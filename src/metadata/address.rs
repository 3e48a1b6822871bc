//! A postal address in parts. The street is personal and sealed; the region stays plain for reports and territories.

use serde::{Deserialize, Serialize};

/// A postal address; every part may be absent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Country name or ISO 3166 code, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// District or county.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    /// Street and house number: the sealed part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
}

/// The plain parts, in column order.
pub const REGION_PARTS: [&str; 5] = ["country", "province", "city", "district", "postcode"];

impl Address {
    /// The plain part of this name (`country`, `province`, `city`, `district`, `postcode`).
    pub fn region(&self, part: &str) -> Option<&str> {
        match part {
            "country" => self.country.as_deref(),
            "province" => self.province.as_deref(),
            "city" => self.city.as_deref(),
            "district" => self.district.as_deref(),
            "postcode" => self.postcode.as_deref(),
            _ => None,
        }
    }
    /// Sets the plain part of this name; other names are ignored.
    pub fn set_region(&mut self, part: &str, value: Option<String>) {
        match part {
            "country" => self.country = value,
            "province" => self.province = value,
            "city" => self.city = value,
            "district" => self.district = value,
            "postcode" => self.postcode = value,
            _ => {}
        }
    }
    /// Whether no part is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
