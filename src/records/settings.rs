//! Settings of the appliance: the name of the organisation, what new people and amounts begin with, the ribbon of a copy
//! that is not the real thing. Everybody who is signed in may read them; changing them is an act of the system
//! administrator, and its entry says from what to what. They hold no personal values.

use crate::{Pending, Records};
use audit::Verb as Act;
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Currency, Fault, FaultItem, limits};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Kept, ReadTx, Refused, StoreError, WriteTx};

/// Characters of the note of one entry about settings.
const NOTE_CHARS: usize = 1_000;

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// What kind of appliance this is, beside the real thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RibbonKind {
    /// The real thing: no ribbon.
    #[default]
    None,
    /// For trying things out.
    Test,
    /// For learning.
    Training,
    /// A copy made for the day on which the real one is lost.
    RecoveryCopy,
}

/// The ribbon over every page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ribbon {
    /// What kind of appliance this is.
    pub kind: RibbonKind,
    /// Words beside it; may be empty.
    #[serde(default)]
    pub text: String,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsView {
    /// One more with each change.
    pub version: i64,
    /// The name of the organisation; empty until somebody gave one.
    pub organisation: String,
    /// The language that new users begin with.
    pub language: Language,
    /// The currency that new amounts begin with, by ISO 4217.
    pub currency: String,
    /// The time zone of the house, by its IANA name.
    pub time_zone: String,
    /// The month in which the fiscal year begins, 1 to 12.
    pub fiscal_start: u8,
    /// The ribbon.
    pub ribbon: Ribbon,
    /// Whether there is sample data among the records. Not a setting: it follows from the sample.
    pub sample: bool,
}

impl Default for SettingsView {
    fn default() -> Self {
        Self {
            version: 1,
            organisation: String::new(),
            language: Language::En,
            currency: "EUR".to_owned(),
            time_zone: "UTC".to_owned(),
            fiscal_start: 1,
            ribbon: Ribbon::default(),
            sample: false,
        }
    }
}

/// A change of settings; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsPatch {
    /// The name of the organisation.
    pub organisation: Option<String>,
    /// The language of new users.
    pub language: Option<Language>,
    /// The currency of new amounts.
    pub currency: Option<String>,
    /// The time zone.
    pub time_zone: Option<String>,
    /// The first month of the fiscal year.
    pub fiscal_start: Option<u8>,
    /// The ribbon.
    pub ribbon: Option<Ribbon>,
}

impl Records {
    /// The settings as they are.
    pub fn settings(&self) -> Pending<SettingsView> {
        Pending::written(self.store.read(settings_in_tx))
    }

    /// Changes settings. `if_match` is the version that was read; only the command line changes whatever there is.
    pub fn settings_change(
        &self,
        actor: &Arc<Actor>,
        if_match: Option<i64>,
        patch: SettingsPatch,
    ) -> Pending<SettingsView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let rules = records.may_run(tx, &actor, AppAction::System)?;
            let before = settings_in_tx(tx.read())?;
            if if_match.is_some_and(|version| version != before.version) {
                let detail = "Somebody else has changed the settings since you opened them. Look at them again.";
                return Err(Fault::new(Code::VersionConflict, detail).into());
            }
            let mut after = patched(&before, patch)?;
            let moved = differences(&before, &after);
            if moved.is_empty() {
                return Ok(before);
            }
            after.version = before.version + 1;
            let kept = SettingsView { sample: false, ..after.clone() };
            tx.keep(Kept::Settings, &serde_json::to_string(&kept).map_err(Fault::internal)?)?;
            let note: String = format!("settings: {}", moved.join("; ")).chars().take(NOTE_CHARS).collect();
            note_config(tx, &actor, rules, note)?;
            Ok(after)
        }))
    }

    /// Whether the actor may do an act of administration inside a unit of work; hands out the rules that say so.
    pub(crate) fn may_run(
        &self,
        tx: &WriteTx<'_, '_>,
        actor: &Actor,
        action: AppAction,
    ) -> Result<Vec<String>, Refused> {
        match tx.policy().act(actor, action) {
            Ok(why) => Ok(why.rules),
            Err(denied) => Err(self.denial(actor, Act::ConfigChange, denied, None)),
        }
    }
}

/// Puts a change of the appliance itself into the log, in the transaction of the change.
pub(crate) fn note_config(
    tx: &mut WriteTx<'_, '_>,
    actor: &Actor,
    rules: Vec<String>,
    note: String,
) -> Result<(), Refused> {
    let mut entry = tx.entry(actor, Act::ConfigChange);
    entry.decision.rules = rules;
    entry.note = if entry.note.is_empty() { note } else { format!("{}; {note}", entry.note) };
    Ok(tx.log_entry(&entry)?)
}

/// The settings as they are, inside a transaction.
pub(crate) fn settings_in_tx(tx: &mut ReadTx<'_>) -> Result<SettingsView, StoreError> {
    let mut settings: SettingsView = match tx.kept(Kept::Settings)? {
        Some(text) => {
            serde_json::from_str(&text).map_err(|error| StoreError::damaged(format!("the settings: {error}")))?
        }
        None => SettingsView::default(),
    };
    settings.sample = tx.kept(Kept::Sample)?.is_some();
    Ok(settings)
}

/// The month in which a fiscal year begins, for a filter that asks for one.
pub(crate) fn fiscal_start(tx: &mut ReadTx<'_>, filter: Option<&serde_json::Value>) -> Result<u8, StoreError> {
    if crate::relative::asks_fiscal(filter) { Ok(settings_in_tx(tx)?.fiscal_start) } else { Ok(1) }
}

/// What moved, in words for the log.
fn differences(before: &SettingsView, after: &SettingsView) -> Vec<String> {
    let words = |settings: &SettingsView| {
        [
            ("organisation", settings.organisation.clone()),
            ("language", format!("{:?}", settings.language).to_lowercase()),
            ("currency", settings.currency.clone()),
            ("time_zone", settings.time_zone.clone()),
            ("fiscal_start", settings.fiscal_start.to_string()),
            ("ribbon", format!("{:?} {}", settings.ribbon.kind, settings.ribbon.text).trim().to_lowercase()),
        ]
    };
    words(before)
        .into_iter()
        .zip(words(after))
        .filter(|(old, new)| old != new)
        .map(|((name, old), (_, new))| format!("{name} \"{old}\" to \"{new}\""))
        .collect()
}

fn patched(before: &SettingsView, patch: SettingsPatch) -> Result<SettingsView, Fault> {
    let mut wrong: Vec<FaultItem> = Vec::new();
    let mut after = before.clone();
    let mut refuse = |pointer: &str, code, detail: String| {
        wrong.push(FaultItem { pointer: format!("/{pointer}"), code, detail });
    };
    if let Some(name) = patch.organisation {
        after.organisation = line(&name, limits::SETTING_CHARS_MAX).unwrap_or_else(|(code, detail)| {
            refuse("organisation", code, detail);
            String::new()
        });
    }
    if let Some(language) = patch.language {
        after.language = language;
    }
    if let Some(currency) = patch.currency {
        if currency.parse::<Currency>().is_err() {
            refuse("currency", Code::ValueFormat, "A currency is a code of ISO 4217, such as EUR or CNY.".to_owned());
        }
        after.currency = currency;
    }
    if let Some(zone) = patch.time_zone {
        if !is_zone(&zone) {
            let detail = "A time zone is an IANA name, such as Europe/Berlin, Asia/Shanghai or UTC.";
            refuse("time_zone", Code::ValueFormat, detail.to_owned());
        }
        after.time_zone = zone;
    }
    if let Some(month) = patch.fiscal_start {
        if !(1..=12).contains(&month) {
            refuse("fiscal_start", Code::ValueRange, "A month is from 1 to 12.".to_owned());
        }
        after.fiscal_start = month;
    }
    if let Some(ribbon) = patch.ribbon {
        let text = line(&ribbon.text, limits::RIBBON_CHARS_MAX).unwrap_or_else(|(code, detail)| {
            refuse("ribbon/text", code, detail);
            String::new()
        });
        after.ribbon = Ribbon { kind: ribbon.kind, text };
    }
    if wrong.is_empty() { Ok(after) } else { Err(Fault::invalid(wrong)) }
}

/// One line of text within a limit, trimmed.
fn line(text: &str, chars_max: usize) -> Result<String, (Code, String)> {
    let text = text.trim();
    if text.chars().count() > chars_max {
        return Err((Code::ValueTooLong, format!("At most {chars_max} characters.")));
    }
    if text.chars().any(char::is_control) {
        return Err((Code::ValueFormat, "One line without control characters.".to_owned()));
    }
    Ok(text.to_owned())
}

/// Whether it has the form of an IANA name. Which names exist is known where times are shown, and changes with the years.
fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_uppercase())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let parts = text.split('/').count();
    text == "UTC"
        || (text.len() <= limits::TIME_ZONE_CHARS_MAX && (2..=3).contains(&parts) && text.split('/').all(part))
}
