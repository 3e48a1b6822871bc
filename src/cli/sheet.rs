//! The sheet of one recovery share: a page that prints by itself, loads nothing, and says in both languages what it is, and the
//! same as text for the terminal. It holds a secret: whoever writes it down decides where.

use crate::appliance::Appliance;
use crate::cli::failure::Failure;
use crate::cli::qr;
use std::fmt::Write;
use vault::Share;
use zeroize::Zeroizing;

/// Millimetres of the side of the QR code.
const QR_SIDE: u32 = 62;
/// Columns of words on the terminal.
const TEXT_COLUMNS: usize = 4;

const STYLE: &str = "@page{size:A4;margin:16mm}body{font:11pt/1.45 \"Noto Sans\",\"Noto Sans CJK SC\",\"Microsoft YaHei\",sans-serif;\
color:#000;background:#fff;max-width:178mm;margin:0 auto;padding:6mm 0}h1{font-size:19pt;margin:0 0 1mm}h2{font-size:11pt;margin:5mm 0 1mm}\
p,ul{margin:1mm 0}ul{padding-left:5mm}.sub{font-size:12pt;margin-bottom:4mm}table.facts{border-collapse:collapse;margin:3mm 0}\
table.facts th{text-align:left;font-weight:600;padding:.4mm 5mm .4mm 0}.row{display:flex;gap:6mm;align-items:flex-start;\
border:1pt solid #000;padding:4mm}ol{columns:3;column-gap:7mm;margin:0;padding-left:8mm;flex:1;font:12pt/1.5 \"Noto Sans Mono\",monospace}\
li{break-inside:avoid}li::marker{font-size:8pt;color:#444}.two{display:flex;gap:8mm}.two>*{flex:1}";

/// What all sheets of a set say.
pub(crate) struct Facts {
    name: String,
    appliance: String,
    slot: u32,
    threshold: u8,
    count: u8,
    date: String,
}

impl Facts {
    /// Of the appliance and the slot.
    pub(crate) fn of(appliance: &Appliance, slot: u32, (threshold, count): (u8, u8)) -> Result<Self, Failure> {
        let (id, _) = appliance.vault.appliance()?;
        let config = &appliance.config;
        let name = config.server.names.first().unwrap_or(&config.node).clone();
        let date = appliance.clock.now().date().to_string();
        Ok(Self { name, appliance: id.to_string(), slot, threshold, count, date })
    }
    /// The slot.
    pub(crate) fn slot(&self) -> u32 {
        self.slot
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The sheet as one HTML file.
pub(crate) fn page(facts: &Facts, share: &Share) -> Result<Zeroizing<String>, Failure> {
    let words = share.words();
    let code = qr::svg(&words, QR_SIDE)?;
    let (number, count, threshold) = (share.number(), facts.count, facts.threshold);
    let name = escaped(&facts.name);
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut page = Zeroizing::new(String::with_capacity(code.len() + 16 * 1024));
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Kontor {name}: {number}/{count}</title>\
         <style>{STYLE}</style></head><body>\n<h1>Recovery share {number} of {count} <span lang=\"zh-CN\">恢复份额 {number} / {count}</span></h1>\n\
         <p class=\"sub\">{threshold} of the {count} shares together open the Kontor appliance <b>{name}</b>. \
         <span lang=\"zh-CN\">集齐 {count} 份中的任意 {threshold} 份即可打开 Kontor 系统 <b>{name}</b>。</span></p>\n<table class=\"facts\">"
    );
    let set = share.set().to_string();
    let rows = [
        ("Appliance", "系统编号", facts.appliance.as_str()),
        ("Unseal slot", "解封槽", &facts.slot.to_string()),
        ("Set of shares", "份额组号", &set),
        ("Made on (UTC)", "制作日期", &facts.date),
    ];
    for (english, chinese, value) in rows {
        let value = escaped(value);
        let _ = write!(page, "<tr><th>{english} <span lang=\"zh-CN\">{chinese}</span></th><td>{value}</td></tr>");
    }
    page.push_str("</table>\n<div class=\"row\"><ol>");
    for word in words.split(' ') {
        let _ = write!(page, "<li>{word}</li>");
    }
    let _ = writeln!(page, "</ol>{}</div>", code.as_str());
    let _ = write!(
        page,
        "<div class=\"two\"><div><h2>Keep it</h2><ul>\
         <li>By itself this sheet opens nothing; {threshold} of them open everything. Keep it where nobody else has access, and tell nobody the words.</li>\
         <li>Never photograph, scan or type it, except to recover or to test the appliance.</li>\
         <li>Lost, or seen by somebody? Tell the administrator: a new set makes this one void.</li></ul>\
         <h2>Use it</h2><ul><li>On the server: <code>kontor unseal --shares</code>; from a backup set on a blank machine: <code>kontor backup restore --shares</code>.</li>\
         <li>Type the words in order, or read the code with a scanner. Four letters of each word are enough.</li>\
         <li>To test it: <code>kontor slot test-shares</code>. The words are those of the public standard SLIP-0039.</li></ul></div>\n\
         <div lang=\"zh-CN\"><h2>保管</h2><ul>\
         <li>单独一份打不开任何内容；{threshold} 份合在一起可打开全部。请放在他人无法接触之处，不要把单词告诉任何人。</li>\
         <li>除恢复或测试系统外，切勿拍照、扫描或录入。</li>\
         <li>遗失或被他人看到？请告知管理员：制作新的一组后，本份即告作废。</li></ul>\
         <h2>使用</h2><ul><li>在服务器上：<code>kontor unseal --shares</code>；在空白机器上从备份集恢复：<code>kontor backup restore --shares</code>。</li>\
         <li>按顺序输入单词，或用扫描器读取二维码。每个单词输入前四个字母即可。</li>\
         <li>测试：<code>kontor slot test-shares</code>。单词符合公开标准 SLIP-0039。</li></ul></div></div>\n</body></html>\n"
    );
    Ok(page)
}

/// The share as lines for a terminal.
pub(crate) fn text(facts: &Facts, share: &Share) -> Zeroizing<String> {
    let words = share.words();
    let mut text = Zeroizing::new(String::with_capacity(4 * 1024));
    let _ = write!(
        text,
        "Recovery share {} of {}   恢复份额\nany {} of them open {}\nappliance {}, slot {}, set {}, {}\n\n",
        share.number(),
        facts.count,
        facts.threshold,
        facts.name,
        facts.appliance,
        facts.slot,
        share.set(),
        facts.date
    );
    for (at, word) in words.split(' ').enumerate() {
        let end = if at % TEXT_COLUMNS == TEXT_COLUMNS - 1 { "\n" } else { "" };
        let _ = write!(text, "{:>3} {word:<12}{end}", at + 1);
    }
    text.push('\n');
    text
}
