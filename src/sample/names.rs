//! Names of invented persons, put together from common parts. Holds no list of real people.

use crate::random::Random;

const CHINESE_LAST: &[(&str, &str)] = &[
    ("陈", "chen"),
    ("林", "lin"),
    ("顾", "gu"),
    ("沈", "shen"),
    ("许", "xu"),
    ("陆", "lu"),
    ("苏", "su"),
    ("叶", "ye"),
    ("程", "cheng"),
    ("方", "fang"),
    ("姚", "yao"),
    ("钟", "zhong"),
    ("潘", "pan"),
    ("董", "dong"),
    ("袁", "yuan"),
    ("蒋", "jiang"),
    ("余", "yu"),
    ("杜", "du"),
    ("魏", "wei"),
    ("汪", "wang"),
    ("贺", "he"),
    ("龚", "gong"),
    ("文", "wen"),
    ("庄", "zhuang"),
    ("温", "wen"),
    ("骆", "luo"),
    ("秦", "qin"),
    ("阮", "ruan"),
    ("欧阳", "ouyang"),
    ("司徒", "situ"),
    ("上官", "shangguan"),
    ("尹", "yin"),
    ("柳", "liu"),
    ("白", "bai"),
];
const CHINESE_FIRST: &[(&str, &str, bool)] = &[
    ("听雨", "tingyu", true),
    ("知秋", "zhiqiu", true),
    ("若溪", "ruoxi", true),
    ("映雪", "yingxue", true),
    ("青禾", "qinghe", true),
    ("念初", "nianchu", true),
    ("竹君", "zhujun", true),
    ("晚晴", "wanqing", true),
    ("云舒", "yunshu", true),
    ("书瑶", "shuyao", true),
    ("静姝", "jingshu", true),
    ("沐晨", "muchen", true),
    ("思齐", "siqi", true),
    ("语桐", "yutong", true),
    ("采薇", "caiwei", true),
    ("槿", "jin", true),
    ("远舟", "yuanzhou", false),
    ("牧野", "muye", false),
    ("怀瑾", "huaijin", false),
    ("望舒", "wangshu", false),
    ("景行", "jingxing", false),
    ("长风", "changfeng", false),
    ("砚秋", "yanqiu", false),
    ("北辰", "beichen", false),
    ("岳川", "yuechuan", false),
    ("知远", "zhiyuan", false),
    ("明澈", "mingche", false),
    ("松年", "songnian", false),
    ("承泽", "chengze", false),
    ("亦凡", "yifan", false),
    ("星河", "xinghe", false),
    ("澈", "che", false),
];
const GERMAN_LAST: &[&str] = &[
    "Ahlbrink",
    "Behrendsen",
    "Cordshagen",
    "Dührkoop",
    "Ehlersbrok",
    "Fockenhusen",
    "Grotjahn",
    "Hinrichsen-Voß",
    "Isernhagen",
    "Jessenwold",
    "Klönschnack",
    "Lüttjens",
    "Möllenkamp",
    "Nissenbarg",
    "Ohmstede",
    "Priewall",
    "Quittenbohm",
    "Rickmersen",
    "Stoltenfels",
    "Tiedjens",
    "Ubbelohde",
    "Vierhaus",
    "Wulfsteert",
    "Zinnowick",
];
const GERMAN_FIRST: &[(&str, bool)] = &[
    ("Anneke", true),
    ("Birte", true),
    ("Clara", true),
    ("Dörte", true),
    ("Frauke", true),
    ("Greta", true),
    ("Ilse", true),
    ("Johanna", true),
    ("Kerstin", true),
    ("Levke", true),
    ("Maren", true),
    ("Swantje", true),
    ("Arne", false),
    ("Bjarne", false),
    ("Detlef", false),
    ("Eike", false),
    ("Fiete", false),
    ("Hannes", false),
    ("Jörn", false),
    ("Lasse", false),
    ("Momme", false),
    ("Nils", false),
    ("Ole", false),
    ("Thies", false),
];
const ENGLISH_LAST: &[&str] = &[
    "Applethorn",
    "Brackenbury",
    "Cobbleford",
    "Dunwhistle",
    "Eddowes-Gray",
    "Farthingale",
    "Gallowglass",
    "Hobday",
    "Inchbold",
    "Jellicombe",
    "Kettlewick",
    "Larkspur",
    "Merriwater",
    "Nettlefold",
    "Oxenbridge",
    "Penhallow",
    "Quillfeather",
    "Rookwood",
    "Silverlock",
    "Tattersby",
    "Underhay",
    "Wigglesmere",
    "Yarborough-Finch",
    "Thornaby",
];
const ENGLISH_FIRST: &[(&str, bool)] = &[
    ("Agnes", true),
    ("Beatrix", true),
    ("Cecily", true),
    ("Edith", true),
    ("Flora", true),
    ("Harriet", true),
    ("Imogen", true),
    ("Mabel", true),
    ("Nell", true),
    ("Rosalind", true),
    ("Ambrose", false),
    ("Barnaby", false),
    ("Clement", false),
    ("Edmund", false),
    ("Fergus", false),
    ("Giles", false),
    ("Hugo", false),
    ("Jasper", false),
    ("Nigel", false),
    ("Rupert", false),
    ("Toby", false),
    ("Wilfred", false),
];

/// The language in which a person is written and spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tongue {
    Chinese,
    German,
    English,
}

/// An invented person.
pub(crate) struct Human {
    pub(crate) last: &'static str,
    pub(crate) first: &'static str,
    pub(crate) female: bool,
    pub(crate) tongue: Tongue,
    /// What stands before the `@`, before duplicates are numbered.
    pub(crate) mail_local: String,
}

impl Human {
    pub(crate) fn new(random: &mut Random, tongue: Tongue) -> Self {
        let (last, first, female, mail_local) = match tongue {
            Tongue::Chinese => {
                let (last, last_latin) = random.pick(CHINESE_LAST);
                let (first, first_latin, female) = random.pick(CHINESE_FIRST);
                (last, first, female, format!("{first_latin}.{last_latin}"))
            }
            Tongue::German | Tongue::English => {
                let german = tongue == Tongue::German;
                let last = random.pick(if german { GERMAN_LAST } else { ENGLISH_LAST });
                let (first, female) = random.pick(if german { GERMAN_FIRST } else { ENGLISH_FIRST });
                (last, first, female, format!("{}.{}", latin(first), latin(last)))
            }
        };
        Self { last, first, female, tongue, mail_local }
    }

    pub(crate) fn full(&self) -> String {
        match self.tongue {
            Tongue::Chinese => format!("{}{}", self.last, self.first),
            Tongue::German | Tongue::English => format!("{} {}", self.first, self.last),
        }
    }

    pub(crate) fn salutation(&self) -> &'static str {
        match (self.tongue, self.female) {
            (Tongue::Chinese, true) => "女士",
            (Tongue::Chinese, false) => "先生",
            (Tongue::German, true) => "Frau",
            (Tongue::German, false) => "Herr",
            (Tongue::English, true) => "Ms",
            (Tongue::English, false) => "Mr",
        }
    }

    pub(crate) fn language(&self) -> &'static str {
        match self.tongue {
            Tongue::Chinese => "zh",
            Tongue::German => "de",
            Tongue::English => "en",
        }
    }
}

/// Lower-case ASCII letters and digits of a name, umlauts written out, for addresses.
pub(crate) fn latin(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.to_lowercase().chars() {
        match character {
            'ä' => text.push_str("ae"),
            'ö' => text.push_str("oe"),
            'ü' => text.push_str("ue"),
            'ß' => text.push_str("ss"),
            _ if character.is_ascii_alphanumeric() => text.push(character),
            _ => {}
        }
    }
    text
}
