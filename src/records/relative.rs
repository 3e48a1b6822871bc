//! Relative dates of filters: `today`, `last_7_days`, `this_month`… as a half-open range of days. Weeks begin on Monday
//! (ISO 8601); days are those of UTC; a fiscal year begins in the month that the settings name.

use chrono::{Datelike, Days, Months};
use kernel::Date;

/// All names, for error messages and documentation.
pub(crate) const NAMES: &[&str] = &[
    "today",
    "yesterday",
    "tomorrow",
    "this_week",
    "last_week",
    "next_week",
    "this_month",
    "last_month",
    "next_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
    "this_fiscal_quarter",
    "last_fiscal_quarter",
    "next_fiscal_quarter",
    "this_fiscal_year",
    "last_fiscal_year",
    "next_fiscal_year",
    "last_7_days",
    "last_30_days",
    "last_90_days",
    "last_365_days",
    "next_7_days",
    "next_30_days",
    "next_90_days",
    "before_today",
    "after_today",
];

/// Whether a filter asks for fiscal years, so that the settings are read only then.
pub(crate) fn asks_fiscal(filter: Option<&serde_json::Value>) -> bool {
    filter.is_some_and(|filter| filter.to_string().contains("_fiscal_"))
}

/// First day and the day after the last; an open end is `None`. `None` for an unknown name. `fiscal_start` is the month in which
/// a fiscal year begins, 1 to 12.
pub(crate) fn range(name: &str, today: Date, fiscal_start: u8) -> Option<(Option<Date>, Option<Date>)> {
    let day = |offset: i64| {
        let days = Days::new(offset.unsigned_abs());
        if offset < 0 { today.checked_sub_days(days) } else { today.checked_add_days(days) }
    };
    let monday = today.checked_sub_days(Days::new(u64::from(today.weekday().num_days_from_monday())))?;
    let week = |weeks: i64| {
        let days = Days::new(weeks.unsigned_abs() * 7);
        if weeks < 0 { monday.checked_sub_days(days) } else { monday.checked_add_days(days) }
    };
    let first = today.with_day(1)?;
    let quarter = first.with_month((first.month0() / 3) * 3 + 1)?;
    let year = first.with_month(1)?;
    let months = |from: Date, months: i32| {
        let by = Months::new(months.unsigned_abs());
        if months < 0 { from.checked_sub_months(by) } else { from.checked_add_months(by) }
    };
    let into_fiscal = (first.month0() + 12 - (u32::from(fiscal_start.clamp(1, 12)) - 1)) % 12;
    let fiscal = first.checked_sub_months(Months::new(into_fiscal))?;
    let fiscal_quarter = fiscal.checked_add_months(Months::new(into_fiscal / 3 * 3))?;
    let (from, to) = match name {
        "today" => (day(0), day(1)),
        "yesterday" => (day(-1), day(0)),
        "tomorrow" => (day(1), day(2)),
        "this_week" => (week(0), week(1)),
        "last_week" => (week(-1), week(0)),
        "next_week" => (week(1), week(2)),
        "this_month" => (Some(first), months(first, 1)),
        "last_month" => (months(first, -1), Some(first)),
        "next_month" => (months(first, 1), months(first, 2)),
        "this_quarter" => (Some(quarter), months(quarter, 3)),
        "last_quarter" => (months(quarter, -3), Some(quarter)),
        "this_year" => (Some(year), months(year, 12)),
        "last_year" => (months(year, -12), Some(year)),
        "this_fiscal_quarter" => (Some(fiscal_quarter), months(fiscal_quarter, 3)),
        "last_fiscal_quarter" => (months(fiscal_quarter, -3), Some(fiscal_quarter)),
        "next_fiscal_quarter" => (months(fiscal_quarter, 3), months(fiscal_quarter, 6)),
        "this_fiscal_year" => (Some(fiscal), months(fiscal, 12)),
        "last_fiscal_year" => (months(fiscal, -12), Some(fiscal)),
        "next_fiscal_year" => (months(fiscal, 12), months(fiscal, 24)),
        "last_7_days" => (day(-6), day(1)),
        "last_30_days" => (day(-29), day(1)),
        "last_90_days" => (day(-89), day(1)),
        "last_365_days" => (day(-364), day(1)),
        "next_7_days" => (day(1), day(8)),
        "next_30_days" => (day(1), day(31)),
        "next_90_days" => (day(1), day(91)),
        "before_today" => (None, day(0)),
        "after_today" => (day(1), None),
        _ => return None,
    };
    Some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_range_that_fits_its_words() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let today = date("2026-11-21");
        let is = |name: &str, from: &str, to: &str| {
            assert_eq!(range(name, today, 4), Some((Some(date(from)), Some(date(to)))), "{name}")
        };
        is("today", "2026-11-21", "2026-11-22");
        is("this_week", "2026-11-16", "2026-11-23");
        is("last_month", "2026-10-01", "2026-11-01");
        is("this_quarter", "2026-10-01", "2027-01-01");
        is("last_7_days", "2026-11-15", "2026-11-22");
        is("this_fiscal_year", "2026-04-01", "2027-04-01");
        is("last_fiscal_year", "2025-04-01", "2026-04-01");
        is("this_fiscal_quarter", "2026-10-01", "2027-01-01");
        assert_eq!(range("before_today", today, 1), Some((None, Some(today))));
        assert!(NAMES.iter().all(|name| range(name, today, 1).is_some()));
        assert_eq!(range("someday", today, 1), None);
        // Before the year has begun, on its first day, and where it is the calendar's.
        let year = |today: &str, start| range("this_fiscal_year", date(today), start).unwrap().0.unwrap().to_string();
        let cases = [
            ("2026-03-31", 4, "2025-04-01"),
            ("2026-04-01", 4, "2026-04-01"),
            ("2026-07-05", 1, "2026-01-01"),
            ("2026-11-30", 12, "2025-12-01"),
        ];
        for (today, start, from) in cases {
            assert_eq!(year(today, start), from, "{today} {start}");
        }
        let quarter = range("next_fiscal_quarter", date("2026-01-15"), 2).unwrap().0.unwrap().to_string();
        assert_eq!(quarter, "2026-02-01", "November to January is the last quarter of a year that begins in February");
    }
}
