//! Parts of invented firm names, and the places where those firms sit. The names are fairy-tale words joined with
//! ordinary trades, so that nobody takes one for a real firm.

use crate::fields::Fields;

/// Chinese brands: (name, in Latin letters).
pub(crate) const CHINESE_BRANDS: &[(&str, &str)] = &[
    ("鲸落湾", "jingluowan"),
    ("纸飞鱼", "zhifeiyu"),
    ("雾灯塔", "wudengta"),
    ("半盏茶", "banzhancha"),
    ("铜铃渡", "tonglingdu"),
    ("月亮船", "yueliangchuan"),
    ("折耳猫", "zheermao"),
    ("蓝羽鹤", "lanyuhe"),
    ("松果巷", "songguoxiang"),
    ("北斗麦", "beidoumai"),
    ("青瓷雨", "qingciyu"),
    ("石榴桥", "shiliuqiao"),
    ("云梯田", "yuntitian"),
    ("萤火川", "yinghuochuan"),
    ("听潮阁", "tingchaoge"),
    ("竹蜻蜓", "zhuqingting"),
    ("芦笛港", "ludigang"),
    ("雪橇犬", "xueqiaoquan"),
    ("白帆集", "baifanji"),
    ("糖纸月", "tangzhiyue"),
    ("星砂岸", "xingshaan"),
    ("梧桐信", "wutongxin"),
    ("沙漏谷", "shalougu"),
    ("橘灯里", "judengli"),
    ("远帆雀", "yuanfanque"),
    ("墨鱼汤", "moyutang"),
    ("风铃草", "fenglingcao"),
    ("银杏渡", "yinxingdu"),
    ("珊瑚钟", "shanhuzhong"),
    ("棉花云", "mianhuayun"),
    ("琥珀潮", "hupochao"),
    ("长尾雀", "changweique"),
    ("灯芯草", "dengxincao"),
    ("陶笛坊", "taodifang"),
    ("浮萍岛", "fupingdao"),
    ("霜叶亭", "shuangyeting"),
    ("麦浪舟", "mailangzhou"),
    ("瓦蓝天", "walantian"),
    ("柚子钟", "youzizhong"),
    ("古井猫", "gujingmao"),
];

/// Chinese trades: (Chinese, English, industry).
pub(crate) const CHINESE_TRADES: &[(&str, &str, &str)] = &[
    ("新材料", "New Materials", "manufacturing"),
    ("精密机械", "Precision Machinery", "manufacturing"),
    ("自动化设备", "Automation", "manufacturing"),
    ("供应链管理", "Supply Chain", "transport"),
    ("国际物流", "International Logistics", "transport"),
    ("软件技术", "Software", "software"),
    ("信息科技", "Information Technology", "information"),
    ("半导体", "Semiconductor", "technology"),
    ("医疗器械", "Medical Devices", "medical"),
    ("生物医药", "Biopharma", "medical"),
    ("食品贸易", "Food Trading", "wholesale_retail"),
    ("纺织品进出口", "Textile Import and Export", "wholesale_retail"),
    ("建筑工程", "Construction", "construction"),
    ("新能源", "New Energy", "utilities"),
    ("环境工程", "Environmental Engineering", "environment"),
    ("文化传播", "Culture and Media", "culture"),
    ("酒店管理", "Hotel Management", "hospitality"),
    ("教育科技", "Education Technology", "education"),
    ("农业科技", "Agritech", "agriculture"),
    ("电子商务", "E-Commerce", "retail"),
    ("置业", "Property", "real_estate"),
    ("商务咨询", "Business Consulting", "leasing_business"),
];

/// Chinese institutions: (what follows the brand, English, industry, registrar and category of the credit code).
pub(crate) const CHINESE_INSTITUTIONS: &[(&str, &str, &str, &str)] = &[
    ("职业技术学院", "Vocational College", "education", "52"),
    ("公益基金会", "Foundation", "health_social", "53"),
    ("社区康复中心", "Community Rehabilitation Centre", "health_social", "52"),
    ("科学研究院", "Research Institute", "research", "52"),
];

/// Brands of German firms.
pub(crate) const GERMAN_BRANDS: &[&str] = &[
    "Möwenbrink",
    "Quastenfels",
    "Ankerwold",
    "Seidelhoop",
    "Brackensiel",
    "Hollerwieck",
    "Krummstrand",
    "Lotsenkamp",
    "Nebelfurt",
    "Osterquist",
    "Pfahlmoor",
    "Rohrdommler",
    "Salzdeich",
    "Torfkahn",
    "Wellenbarg",
    "Zwirnholm",
    "Kabelgatt",
    "Bernsteinkoog",
    "Dwarslöper",
    "Gezeitenhof",
    "Heringshude",
    "Leuchtboje",
    "Pricken & Pütz",
    "Strandhafer",
    "Tauwerk Nord",
    "Windjammer Söhne",
];

/// Trades of German firms: (with the legal form, industry).
pub(crate) const GERMAN_TRADES: &[(&str, &str)] = &[
    ("Maschinenbau GmbH", "manufacturing"),
    ("Logistik GmbH & Co. KG", "transport"),
    ("Reederei GmbH & Co. KG", "transport"),
    ("Schiffsausrüstung GmbH", "wholesale_retail"),
    ("Feinkost GmbH", "wholesale_retail"),
    ("Medizintechnik GmbH", "medical"),
    ("Windkraft GmbH", "utilities"),
    ("Holzbau GmbH", "construction"),
    ("Software GmbH", "software"),
    ("Verlag GmbH", "culture"),
    ("Hotelbetriebe GmbH", "hospitality"),
    ("Umwelttechnik GmbH", "environment"),
    ("Immobilien GmbH", "real_estate"),
    ("Agrar eG", "agriculture"),
];

/// Brands of English and other European firms.
pub(crate) const ENGLISH_BRANDS: &[&str] = &[
    "Bramblewick",
    "Copperlark",
    "Dunmarrow",
    "Elderfen",
    "Foxglove Quay",
    "Gullhaven",
    "Harrowmist",
    "Inkwell Harbour",
    "Juniper Sound",
    "Kestrelgate",
    "Lanternmoor",
    "Marlspike Row",
    "Netherby Lock",
    "Oakum & Tar",
    "Pebblecroft",
    "Rushlight",
    "Saltmarsh Lane",
    "Thimblewick",
    "Umberwold",
    "Vesperholm",
    "Wattlehythe",
    "Yarrowdeep",
    "Ninefathom",
    "Oystergrey",
    "Tidewrack",
    "Halfpenny Wharf",
];

/// Trades of English firms: (with the legal form, industry).
pub(crate) const ENGLISH_TRADES: &[(&str, &str)] = &[
    ("Shipping Ltd", "transport"),
    ("Foods Ltd", "wholesale_retail"),
    ("Instruments Ltd", "manufacturing"),
    ("Software Ltd", "software"),
    ("Timber Ltd", "construction"),
    ("Renewables plc", "utilities"),
    ("Textiles Ltd", "manufacturing"),
    ("Hotels Ltd", "hospitality"),
    ("Advisers LLP", "leasing_business"),
    ("Biotech Ltd", "medical"),
    ("Telecom Ltd", "telecommunications"),
    ("Studios Ltd", "entertainment"),
    ("Recruitment Ltd", "employment"),
    ("Minerals Ltd", "mining"),
];

/// Trades of firms elsewhere in Europe.
pub(crate) const EUROPEAN_TRADES: &[(&str, &str)] = &[
    ("Maritime B.V.", "transport"),
    ("Trading B.V.", "wholesale_retail"),
    ("Foods A/S", "wholesale_retail"),
    ("Data OÜ", "information"),
    ("Robotics OÜ", "technology"),
    ("Design ApS", "services"),
];

/// European institutions: (before the brand, after it, industry).
pub(crate) const EUROPEAN_INSTITUTIONS: &[(&str, &str, &str)] = &[
    ("Stiftung", "", "health_social"),
    ("", "Harbour Authority", "public_administration"),
    ("", "University of Applied Sciences", "education"),
    ("Klinikum", "", "medical"),
    ("Museum", "", "culture"),
    ("", "Institute for Marine Research", "research"),
];

/// Where a firm sits.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    /// ISO 3166 code.
    pub(crate) country: &'static str,
    pub(crate) province: &'static str,
    pub(crate) city: &'static str,
    pub(crate) district: &'static str,
    pub(crate) postcode: &'static str,
    /// GB/T 2260 code; empty outside China.
    pub(crate) region: &'static str,
    /// Chinese area code without the zero; empty outside China.
    pub(crate) area: &'static str,
}

impl Place {
    /// The part of an address that says where, without the street.
    pub(crate) fn region(&self) -> Fields {
        let mut region = Fields::new();
        region.set("country", self.country).set("province", self.province).set("city", self.city);
        region
    }
}

/// (province, city, district, postcode, region, area code)
type ChineseRow = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);
/// (country, state, city, postcode)
type EuropeanRow = (&'static str, &'static str, &'static str, &'static str);

/// Chinese places and how often they occur.
const CHINESE_PLACES: &[(ChineseRow, u64)] = &[
    (("上海市", "上海", "浦东新区", "200120", "310115", "21"), 9),
    (("上海市", "上海", "徐汇区", "200030", "310104", "21"), 7),
    (("上海市", "上海", "闵行区", "201100", "310112", "21"), 5),
    (("上海市", "上海", "嘉定区", "201800", "310114", "21"), 3),
    (("江苏省", "苏州", "工业园区", "215021", "320571", "512"), 5),
    (("江苏省", "南京", "江宁区", "211100", "320115", "25"), 3),
    (("江苏省", "无锡", "滨湖区", "214123", "320211", "510"), 2),
    (("浙江省", "杭州", "余杭区", "311100", "330110", "571"), 5),
    (("浙江省", "宁波", "北仑区", "315800", "330206", "574"), 4),
    (("山东省", "青岛", "黄岛区", "266500", "370211", "532"), 2),
    (("广东省", "深圳", "南山区", "518052", "440305", "755"), 3),
    (("广东省", "广州", "黄埔区", "510700", "440112", "20"), 2),
    (("四川省", "成都", "武侯区", "610041", "510107", "28"), 2),
    (("湖北省", "武汉", "洪山区", "430070", "420111", "27"), 2),
];

/// European places and how often they occur.
const GERMAN_PLACES: &[(EuropeanRow, u64)] = &[
    (("DE", "Schleswig-Holstein", "Lübeck", "23552"), 10),
    (("DE", "Schleswig-Holstein", "Kiel", "24103"), 3),
    (("DE", "Schleswig-Holstein", "Neustadt in Holstein", "23730"), 2),
    (("DE", "Hamburg", "Hamburg", "20457"), 6),
    (("DE", "Mecklenburg-Vorpommern", "Rostock", "18055"), 3),
    (("DE", "Mecklenburg-Vorpommern", "Wismar", "23966"), 2),
    (("DE", "Bremen", "Bremen", "28195"), 2),
    (("DE", "Berlin", "Berlin", "10115"), 2),
];
const ENGLISH_PLACES: &[(EuropeanRow, u64)] = &[
    (("GB", "England", "London", "EC3R 6HD"), 5),
    (("GB", "England", "Hull", "HU1 1DZ"), 3),
    (("GB", "England", "Bristol", "BS1 4RN"), 2),
    (("GB", "Scotland", "Leith", "EH6 6QQ"), 2),
];
const OTHER_PLACES: &[(EuropeanRow, u64)] = &[
    (("NL", "Zuid-Holland", "Rotterdam", "3011"), 3),
    (("DK", "Hovedstaden", "København", "1050"), 3),
    (("EE", "Harjumaa", "Tallinn", "10111"), 2),
];

/// What kind of European firm.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Europe {
    German,
    British,
    Other,
}

/// A Chinese place.
pub(crate) fn chinese_place(random: &mut crate::random::Random) -> Place {
    let (province, city, district, postcode, region, area) = random.weighted(CHINESE_PLACES);
    Place { country: "CN", province, city, district, postcode, region, area }
}

/// A European place.
pub(crate) fn european_place(random: &mut crate::random::Random, europe: Europe) -> Place {
    let (country, province, city, postcode) = random.weighted(match europe {
        Europe::German => GERMAN_PLACES,
        Europe::British => ENGLISH_PLACES,
        Europe::Other => OTHER_PLACES,
    });
    Place { country, province, city, postcode, ..Place::default() }
}

/// Streets that exist in no register.
pub(crate) const CHINESE_STREETS: &[&str] =
    &["锚链路", "罗盘街", "桅杆路", "信风大道", "灯塔东路", "潮汐路", "缆绳巷", "船钟路", "海图中路", "舵轮街"];
pub(crate) const GERMAN_STREETS: &[&str] = &[
    "Ankertau",
    "Am Kompass",
    "Klabautergasse",
    "Lotsenstieg",
    "Heringsallee",
    "Beim Spillkopf",
    "Flautenweg",
    "Toppnantstraße",
];
pub(crate) const ENGLISH_STREETS: &[&str] =
    &["Capstan Row", "Bowline Street", "Ledger Lane", "Halyard Court", "Tallow Wharf", "Sextant Road", "Binnacle Mews"];
