//! `kontor config explain`: what can stand in `kontor.toml`, with type, default and meaning. Opens nothing.

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::config::reference::{SECTIONS, SectionText, Setting, page};
use kernel::Code;
use serde_json::json;

/// Explains one setting, a section, or all of them.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor config explain backup.schedule
  kontor config explain mail --language zh
  kontor config explain --json

Without a name it prints the whole reference as the manual has it. Opens no appliance.
Exit codes: 0; 2 there is no such setting.")]
pub(crate) struct ExplainArgs {
    /// A setting such as backup.schedule, or a section such as backup.
    name: Option<String>,
    /// The language of the words: en or zh.
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = ["en", "zh"])]
    language: String,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ExplainArgs, out: &mut Out) -> Result<u8, Failure> {
    let language = usize::from(args.language == "zh");
    let found = found(args.name.as_deref());
    if found.is_empty() {
        let name = args.name.as_deref().unwrap_or_default();
        return Err(Failure::new(Code::ParameterInvalid, format!("there is no setting and no section {name:?}"))
            .todo("`kontor config explain` lists all of them"));
    }
    if args.json {
        let told = |(section, setting): &(&SectionText, &Setting)| {
            let [en, zh] = setting.kind.words();
            json!({"section": section.name, "key": setting.key, "type": if language == 0 { en } else { zh },
                "default": setting.default, "meaning": setting.what.get(language), "example": setting.example})
        };
        out.json(&found.iter().map(told).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if args.name.is_none() {
        out.line(page(language).trim_end());
        return Ok(0);
    }
    for (section, setting) in found {
        let [en, zh] = setting.kind.words();
        out.line(full_name(section, setting));
        out.line(format!("  {}", setting.what.get(language).copied().unwrap_or_default()));
        out.line(format!("  {}", if language == 0 { en } else { zh }));
        if !setting.default.is_empty() {
            out.line(format!("  default  {}", setting.default));
        }
        out.line(format!("  example  {} = {}", setting.key, setting.example));
    }
    Ok(0)
}

fn full_name(section: &SectionText, setting: &Setting) -> String {
    if section.name.is_empty() { setting.key.to_owned() } else { format!("{}.{}", section.name, setting.key) }
}

/// The settings of that name: one of them, those of a section with all below it, or all.
fn found(name: Option<&str>) -> Vec<(&'static SectionText, &'static Setting)> {
    let all = SECTIONS.iter().flat_map(|section| section.settings.iter().map(move |setting| (section, setting)));
    let Some(name) = name else { return all.collect() };
    let below = |text: &str| text == name || text.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    all.filter(|(section, setting)| below(section.name) || full_name(section, setting) == name).collect()
}
