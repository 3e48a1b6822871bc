//! The manual as pages: the Markdown of `docs/`, embedded in the binary, as plain readable HTML. Raw HTML in a page is
//! shown as text, links between pages are moved to their addresses here. It reads no file at run time.

use crate::wire::Answer;
use identity::Locale;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use std::collections::BTreeMap;

include!(concat!(env!("OUT_DIR"), "/manual_files.rs"));

/// How the Chinese version of a page is called.
const ZH: &str = ".zh-CN";

fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Everything between the tags of a page.
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) locale: Locale,
    /// The same page in the other language.
    pub(crate) other: Option<String>,
    pub(crate) body: String,
}

/// What lies under `/docs/`: the list, a page by its name without `.md`, or a script.
pub(crate) fn answer(path: &str, wanted: Locale) -> Option<Answer> {
    if path.is_empty() {
        return Some(html_answer(&index(wanted)));
    }
    // Problem documents point here, whatever the language.
    let name = if path == "errors" { "admin/errors" } else { path };
    if let Some(script) = file(name).filter(|_| name.ends_with(".py")) {
        return Some(Answer::page("text/plain; charset=utf-8", script.as_bytes().to_vec()));
    }
    let chinese = format!("{name}{ZH}");
    let name = if path == "errors" && wanted == Locale::Zh && file(&format!("{chinese}.md")).is_some() {
        &chinese
    } else {
        name
    };
    Some(html_answer(&page(name)?))
}

fn page(name: &str) -> Option<Page> {
    let text = file(&format!("{name}.md"))?;
    let locale = if name.ends_with(ZH) { Locale::Zh } else { Locale::En };
    let twin = match name.strip_suffix(ZH) {
        Some(base) => base.to_owned(),
        None => format!("{name}{ZH}"),
    };
    let other = file(&format!("{twin}.md")).map(|_| format!("/docs/{twin}"));
    Some(Page { title: title_of(text).to_owned(), locale, other, body: render(text, name) })
}

fn title_of(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Kontor").trim()
}

/// All pages of one language by folder.
fn index(locale: Locale) -> Page {
    let mut folders: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, text) in FILES {
        let Some(name) = name.strip_suffix(".md") else { continue };
        if name.ends_with(ZH) == (locale == Locale::Zh) {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            folders.entry(folder).or_default().push((name, title_of(text)));
        }
    }
    let title = match locale {
        Locale::En => "Manual",
        Locale::Zh => "手册",
    };
    let mut body = format!("<h1>{title}</h1>");
    for (folder, mut pages) in folders {
        // The page that leads through the others stands before them.
        pages.sort_by_key(|(name, _)| !name.contains("/guide"));
        body.push_str(&format!("<h2>{}</h2><ul>", escape(folder_title(folder, locale))));
        for (name, title) in pages {
            body.push_str(&format!("<li><a href=\"/docs/{}\">{}</a></li>", escape(name), escape(title)));
        }
        body.push_str("</ul>");
    }
    Page { title: title.to_owned(), locale, other: None, body }
}

fn folder_title(folder: &str, locale: Locale) -> &str {
    match (folder, locale) {
        ("", Locale::En) => "For developers",
        ("", Locale::Zh) => "开发者",
        ("admin", Locale::En) => "For administrators",
        ("admin", Locale::Zh) => "管理员",
        ("auditor", Locale::En) => "For auditors",
        ("auditor", Locale::Zh) => "审计员",
        ("user", Locale::En) => "For users",
        ("user", Locale::Zh) => "用户",
        (other, _) => other,
    }
}

/// The anchor of a heading: lower case, blanks to hyphens, other punctuation gone.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|char| if char == ' ' { '-' } else { char }).collect()
}

fn render(text: &str, name: &str) -> String {
    let events: Vec<Event<'_>> =
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect();
    let mut out: Vec<Event<'_>> = Vec::with_capacity(events.len());
    let mut heading: Option<(HeadingLevel, Vec<Event<'_>>)> = None;
    for event in events {
        let event = match event {
            Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Link { link_type, dest_url: moved(&dest_url, name), title, id })
            }
            other => other,
        };
        match (event, heading.take()) {
            (Event::Start(Tag::Heading { level, .. }), _) => heading = Some((level, Vec::new())),
            (Event::End(TagEnd::Heading(_)), Some((level, inside))) => {
                let text: String = inside.iter().filter_map(text_of).collect();
                let id = Some(CowStr::from(anchor(text.trim())));
                out.push(Event::Start(Tag::Heading { level, id, classes: Vec::new(), attrs: Vec::new() }));
                out.extend(inside);
                out.push(Event::End(TagEnd::Heading(level)));
            }
            (event, Some((level, mut inside))) => {
                inside.push(event);
                heading = Some((level, inside));
            }
            (event, None) => out.push(event),
        }
    }
    let mut body = String::with_capacity(text.len() * 2);
    html::push_html(&mut body, out.into_iter());
    body
}

fn text_of<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    match event {
        Event::Text(text) | Event::Code(text) => Some(text),
        _ => None,
    }
}

/// `../auditor/log-format.md#x` on a page of `admin/` → `/docs/auditor/log-format#x`. Only http(s), mail and pages are links.
fn moved<'t>(target: &str, from: &str) -> CowStr<'t> {
    let outside = ["http://", "https://", "mailto:", "/", "#"].iter().any(|start| target.starts_with(start));
    if outside {
        return CowStr::from(target.to_owned());
    }
    let (path, fragment) =
        target.split_once('#').map_or((target, String::new()), |(path, fragment)| (path, format!("#{fragment}")));
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if file(&joined).is_none() {
        // Files of the source tree that are not part of the binary.
        return CowStr::from("#");
    }
    CowStr::from(format!("/docs/{}{fragment}", joined.strip_suffix(".md").unwrap_or(&joined)))
}

/// Text inside HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page in its frame.
pub(crate) fn html_answer(page: &Page) -> Answer {
    let (tag, manual, other) = match page.locale {
        Locale::En => ("en", "Manual", "中文"),
        Locale::Zh => ("zh-CN", "手册", "English"),
    };
    let switch = page.other.as_ref().map(|to| format!("<a href=\"{}\">{other}</a>", escape(to))).unwrap_or_default();
    let html = include_str!("pages/frame.html")
        .replace("{lang}", tag)
        .replace("{manual}", manual)
        .replace("{switch}", &switch)
        .replace("{title}", &escape(&page.title))
        .replace("{body}", &page.body);
    Answer::page("text/html; charset=utf-8", html.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_plain_and_their_links_lead_to_pages() {
        let name = "admin/errors";
        let html = render(
            "# A `b` c\n\nIn <script>x</script> [e](errors.zh-CN.md#x) [o](../nowhere.rs) [w](https://a.example)\n\n| a |\n|---|\n| 1 |\n",
            name,
        );
        assert!(html.contains("<h1 id=\"a-b-c\">"), "{html}");
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
        assert!(
            html.contains("href=\"/docs/admin/errors.zh-CN#x\"")
                && html.contains("href=\"#\"")
                && html.contains("https://a.example"),
            "{html}"
        );
        assert!(html.contains("<table>"));
    }

    #[test]
    fn every_page_renders_and_no_link_is_dangerous() {
        assert!(FILES.iter().any(|(name, _)| *name == "admin/errors.md"));
        for (name, _) in FILES {
            let Some(name) = name.strip_suffix(".md") else { continue };
            let page = page(name).unwrap();
            assert!(!page.title.is_empty() && !page.body.to_lowercase().contains("javascript:"), "{name}");
            assert!(
                !page.body.contains("<script") && !page.body.contains(" style="),
                "{name}: inline code breaks the CSP"
            );
        }
    }

    #[test]
    fn anchors() {
        assert_eq!(anchor("version_conflict"), "version_conflict");
        assert_eq!(anchor("What is: a Log?"), "what-is-a-log");
        assert_eq!(anchor("审计 日志"), "审计-日志");
    }
}
