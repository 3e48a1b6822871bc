//! Dates and times: formats stated in the notation of strftime, or found per column from a sample. A column that fits
//! both day-month and month-day is never guessed: the user must say. Years have four digits unless a format says `%y`.

use super::{Wrong, unified};
use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime,
    format::{Item, StrftimeItems},
};
use kernel::Timestamp;
use std::borrow::Cow;

/// Formats of dates that are tried on a column; chrono takes unpadded numbers too.
const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%B %d, %Y",
];
/// Formats of a date with a time of day, for exports that write dates as midnight.
const MIDNIGHTS: &[&str] =
    &["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"];
/// Formats of times with their offset from UTC.
const ZONED: &[&str] =
    &["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y/%m/%d %H:%M:%S%#z", "%Y-%m-%d %H:%M:%S %#z"];
/// Formats of times without.
const LOCAL: &[&str] = &[
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
];

/// Why a text is not a usable format; `None` when it is.
pub(crate) fn format_problem(format: &str) -> Option<&'static str> {
    let bad = format.is_empty() || StrftimeItems::new(format).any(|item| matches!(item, Item::Error));
    bad.then_some("Not a format in the notation of strftime, such as %d.%m.%Y or %Y-%m-%d %H:%M:%S.")
}

fn unify(text: &str) -> Cow<'_, str> {
    unified(text.trim())
}

/// A calendar year of four digits; chrono would also take year 17.
fn sane(date: NaiveDate) -> Option<NaiveDate> {
    (1000..=9999).contains(&date.year()).then_some(date)
}

fn date_in(text: &str, format: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, format).ok().and_then(sane)
}

fn midnight(text: &str) -> Option<NaiveDate> {
    let time = MIDNIGHTS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    (time.time() == NaiveTime::MIN).then(|| time.date()).and_then(sane)
}

/// How a date is read.
pub(crate) struct DateRule {
    /// The formats, tried in order.
    pub(crate) formats: Vec<String>,
}

impl DateRule {
    /// Reads a date into its wire form.
    pub(crate) fn read(&self, text: &str) -> Result<String, Wrong> {
        let text = unify(text);
        self.formats
            .iter()
            .find_map(|format| {
                date_in(&text, format).or_else(|| {
                    let time = NaiveDateTime::parse_from_str(&text, format).ok()?;
                    (time.time() == NaiveTime::MIN).then(|| time.date()).and_then(sane)
                })
            })
            .or_else(|| midnight(&text))
            .map(|date| date.format("%Y-%m-%d").to_string())
            .ok_or_else(|| Wrong::format(format!("Expected a date in the format {}.", self.formats.join(" or "))))
    }
}

/// What a sample says about the format of a column.
pub(crate) enum FoundFormats {
    /// Nothing: the column is empty, or no known format fits most of it.
    None,
    /// These, the most frequent first.
    Some(Vec<String>),
    /// Two readings fit every value equally; the days never exceed 12.
    Ambiguous(&'static str, &'static str),
}

/// Finds the formats of a column of dates.
pub(crate) fn find_date_formats<'a>(texts: impl Iterator<Item = &'a str>) -> FoundFormats {
    let texts: Vec<Cow<'_, str>> = texts.map(unify).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return FoundFormats::None;
    }
    let fits = |format: &str| texts.iter().filter(|text| date_in(text, format).is_some()).count();
    let mut counts: Vec<(&'static str, usize)> =
        DATES.iter().map(|format| (*format, fits(format))).filter(|(_, count)| *count > 0).collect();
    // A stable sort keeps the order of the table among equals.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (one, other) in [("%m/%d/%Y", "%d/%m/%Y"), ("%m-%d-%Y", "%d-%m-%Y")] {
        let of = |format: &str| counts.iter().find(|(known, _)| *known == format).map_or(0, |(_, count)| *count);
        if of(one) > 0 && of(one) == of(other) {
            return FoundFormats::Ambiguous(one, other);
        }
        // Of the two readings only the one that fits more is kept: the other would read wrong days without an error.
        let weaker = if of(one) > of(other) { other } else { one };
        counts.retain(|(format, _)| *format != weaker);
    }
    let best = counts.first().map_or(0, |(_, count)| *count);
    let midnights = texts.iter().filter(|text| midnight(text).is_some()).count();
    if best.max(midnights).saturating_mul(2) < texts.len() {
        return FoundFormats::None;
    }
    let mut formats: Vec<String> = counts.into_iter().map(|(format, _)| format.to_owned()).collect();
    if formats.is_empty() {
        formats.push("%Y-%m-%d".to_owned());
    }
    FoundFormats::Some(formats)
}

/// How an instant is read.
pub(crate) struct TimeRule {
    /// Stated formats; the usual unambiguous ones when empty.
    pub(crate) formats: Vec<String>,
    /// For texts without an offset.
    pub(crate) offset: FixedOffset,
}

impl TimeRule {
    /// Reads an instant into its wire form, RFC 3339 in UTC.
    pub(crate) fn read(&self, text: &str) -> Result<String, Wrong> {
        let text = unify(text);
        let zoned = |format: &str| DateTime::parse_from_str(&text, format).ok();
        let local = |format: &str| {
            NaiveDateTime::parse_from_str(&text, format)
                .ok()
                .or_else(|| date_in(&text, format).map(|date| date.and_time(NaiveTime::MIN)))
                .and_then(|time| time.and_local_timezone(self.offset).single())
        };
        let found = if self.formats.is_empty() {
            DateTime::parse_from_rfc3339(&text)
                .ok()
                .or_else(|| ZONED.iter().find_map(|format| zoned(format)))
                .or_else(|| LOCAL.iter().chain(DATES.iter().take(5)).find_map(|format| local(format)))
        } else {
            self.formats.iter().find_map(|format| zoned(format).or_else(|| local(format)))
        };
        found
            .filter(|time| sane(time.date_naive()).is_some())
            .map(|time| Timestamp::from_micros(time.timestamp_micros()).to_string())
            .ok_or_else(|| {
                Wrong::format(if self.formats.is_empty() {
                    "Expected a time such as 2026-01-31T09:30:00Z or 2026-01-31 09:30:00.".to_owned()
                } else {
                    format!("Expected a time in the format {}.", self.formats.join(" or "))
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str]) -> Option<String> {
        match find_date_formats(texts.iter().copied()) {
            FoundFormats::Some(formats) => formats.into_iter().next(),
            FoundFormats::None => None,
            FoundFormats::Ambiguous(one, _) => Some(format!("ambiguous {one}")),
        }
    }

    #[test]
    fn formats_are_found_per_column() {
        assert_eq!(found(&["10/20/2016", "3/1/2017"]).as_deref(), Some("%m/%d/%Y"));
        assert_eq!(found(&["31/12/2012", "02/01/2014"]).as_deref(), Some("%d/%m/%Y"));
        assert_eq!(found(&["3/1/2017", "4/2/2017"]).as_deref(), Some("ambiguous %m/%d/%Y"));
        assert_eq!(found(&["2020/3/9"]).as_deref(), Some("%Y/%m/%d"));
        assert_eq!(found(&["20190131", "19991201"]).as_deref(), Some("%Y%m%d"));
        assert_eq!(found(&["2019年1月31日"]).as_deref(), Some("%Y年%m月%d日"));
        assert_eq!(found(&["31.1.2019", ""]).as_deref(), Some("%d.%m.%Y"));
        assert_eq!(found(&["yesterday"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn dates_are_read_strictly() {
        let rule = |format: &str| DateRule { formats: vec![format.to_owned()] };
        assert_eq!(rule("%m/%d/%Y").read("3/1/2017").unwrap(), "2017-03-01");
        assert_eq!(rule("%Y-%m-%d").read("２０１９-０１-３１").unwrap(), "2019-01-31");
        assert_eq!(rule("%Y-%m-%d").read("2019-01-31 00:00:00").unwrap(), "2019-01-31");
        for bad in ["2/30/2017", "3/1/17", "31/12/2017", "soon", "2019-01-31 10:00:00"] {
            assert!(rule("%m/%d/%Y").read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_go_to_utc() {
        let east = FixedOffset::east_opt(8 * 3600).unwrap();
        let free = TimeRule { formats: Vec::new(), offset: east };
        for (text, expected) in [
            ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000000Z"),
            ("2010-10-14T12:00:00.000+0800", "2010-10-14T04:00:00.000000Z"),
            ("2009-07-14 22:14:45+0800", "2009-07-14T14:14:45.000000Z"),
            ("2012-06-22 00:00:00", "2012-06-21T16:00:00.000000Z"),
            ("2012/6/22 8:00", "2012-06-22T00:00:00.000000Z"),
            ("20120622", "2012-06-21T16:00:00.000000Z"),
        ] {
            assert_eq!(free.read(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(free.read("07/08/2009 02:14:45").is_err());
        let stated = TimeRule { formats: vec!["%m/%d/%Y %H:%M:%S%z".to_owned()], offset: east };
        assert_eq!(stated.read("07/15/2009 02:14:45+0800").unwrap(), "2009-07-14T18:14:45.000000Z");
    }
}
