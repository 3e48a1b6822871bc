//! The bank's products and tags, each with a Chinese and an English name.

use crate::{
    fields::Fields,
    world::{Moment, Product, World},
};

/// (code, Chinese, English, category, type, risk, price in whole euro, billing, months, description)
type ProductRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    i64,
    &'static str,
    i64,
    &'static str,
);

const LENDING: &str = "Lending 贷款";
const TRADE: &str = "Trade finance 贸易融资";
const CASH: &str = "Cash management 现金管理";
const INVEST: &str = "Investment 投资";
const ADVICE: &str = "Advisory 咨询";
const DIGITAL: &str = "Digital 数字化";

const PRODUCTS: &[ProductRow] = &[
    (
        "LN-WCL",
        "流动资金贷款",
        "Working capital loan",
        LENDING,
        "financial",
        Some("r2"),
        1_500,
        "once",
        12,
        "Revolving credit for stock and receivables. 用于补充日常经营资金。",
    ),
    (
        "LN-EQL",
        "设备更新贷款",
        "Equipment loan",
        LENDING,
        "financial",
        Some("r2"),
        2_000,
        "once",
        36,
        "Finances machines over their useful life. 按设备使用年限分期偿还。",
    ),
    (
        "LN-GRN",
        "绿色转型贷款",
        "Green transition loan",
        LENDING,
        "financial",
        Some("r2"),
        1_800,
        "once",
        60,
        "Margin falls when agreed emission goals are met. 达成减排目标可下调利率。",
    ),
    (
        "LN-SHP",
        "船舶融资",
        "Vessel finance",
        LENDING,
        "financial",
        Some("r4"),
        12_000,
        "once",
        96,
        "Secured by ship mortgage. 以船舶抵押作为担保。",
    ),
    (
        "LN-TEC",
        "科创企业贷",
        "Innovation loan",
        LENDING,
        "financial",
        Some("r3"),
        1_200,
        "once",
        24,
        "For young firms with patents and few assets. 面向轻资产科创企业。",
    ),
    (
        "LN-MTG",
        "商业物业抵押贷款",
        "Commercial mortgage",
        LENDING,
        "financial",
        Some("r3"),
        4_500,
        "once",
        120,
        "Offices, warehouses and hotels. 适用于办公、仓储与酒店物业。",
    ),
    (
        "TF-LCI",
        "进口信用证",
        "Import letter of credit",
        TRADE,
        "financial",
        Some("r2"),
        350,
        "once",
        6,
        "Opened in Lübeck or Shanghai. 吕贝克与上海两地均可开立。",
    ),
    (
        "TF-LCE",
        "出口信用证通知与议付",
        "Export letter of credit, advising and negotiation",
        TRADE,
        "financial",
        Some("r1"),
        280,
        "once",
        3,
        "Documents are checked within one working day. 单据一个工作日内审核。",
    ),
    (
        "TF-GUA",
        "投标与履约保函",
        "Bid and performance guarantee",
        TRADE,
        "financial",
        Some("r2"),
        420,
        "quarter",
        12,
        "Bilingual text on request. 可出具双语文本。",
    ),
    (
        "TF-FAC",
        "应收账款保理",
        "Factoring",
        TRADE,
        "financial",
        Some("r3"),
        900,
        "month",
        12,
        "With or without recourse. 有追索与无追索两种。",
    ),
    (
        "TF-SCF",
        "供应链融资",
        "Supply chain finance",
        TRADE,
        "financial",
        Some("r3"),
        2_400,
        "month",
        24,
        "Suppliers are paid early on the buyer's standing. 依托核心企业信用。",
    ),
    (
        "CM-ACC",
        "企业结算账户",
        "Business account",
        CASH,
        "financial",
        Some("r1"),
        25,
        "month",
        0,
        "Payments in euro and renminbi. 支持欧元与人民币收付。",
    ),
    (
        "CM-CBP",
        "跨境资金池",
        "Cross-border cash pool",
        CASH,
        "financial",
        Some("r2"),
        1_600,
        "month",
        12,
        "Balances of group firms are netted daily. 集团成员余额每日归集。",
    ),
    (
        "CM-FXS",
        "即期与远期结售汇",
        "FX spot and forward",
        CASH,
        "financial",
        Some("r3"),
        150,
        "once",
        0,
        "Fixes the rate of a future payment. 锁定未来收付款汇率。",
    ),
    (
        "CM-PAY",
        "代发薪酬服务",
        "Payroll service",
        CASH,
        "service",
        None,
        180,
        "month",
        12,
        "Salaries in two countries from one file. 一份文件完成两地代发。",
    ),
    (
        "CM-LIQ",
        "流动性计划服务",
        "Liquidity planning",
        CASH,
        "subscription",
        None,
        320,
        "month",
        12,
        "Thirteen-week forecast from account data. 基于账户数据的十三周预测。",
    ),
    (
        "IV-DEP",
        "定期与大额存款",
        "Fixed deposit",
        INVEST,
        "financial",
        Some("r1"),
        0,
        "once",
        3,
        "From three months. 三个月起存。",
    ),
    (
        "IV-BND",
        "债券投资账户",
        "Bond portfolio",
        INVEST,
        "financial",
        Some("r2"),
        600,
        "year",
        12,
        "Investment-grade issuers only. 仅投资级发行人。",
    ),
    (
        "IV-MIX",
        "稳健配置组合",
        "Balanced mandate",
        INVEST,
        "financial",
        Some("r3"),
        950,
        "year",
        36,
        "Managed by rules that the client signs. 按客户签署的投资规则管理。",
    ),
    (
        "IV-FND",
        "基金会资产托管",
        "Custody for foundations",
        INVEST,
        "service",
        Some("r2"),
        1_100,
        "year",
        24,
        "Capital preserved, income spent. 本金保值，收益用于公益。",
    ),
    (
        "AD-SUC",
        "企业传承咨询",
        "Succession advice",
        ADVICE,
        "service",
        None,
        8_500,
        "once",
        0,
        "From the first talk to the signed deed. 从首次沟通到签署协议。",
    ),
    (
        "AD-ENT",
        "市场进入咨询(中欧)",
        "Market entry advice China–Europe",
        ADVICE,
        "service",
        None,
        6_800,
        "once",
        0,
        "Partners, registration, first account. 寻找伙伴、注册登记与开户。",
    ),
    (
        "AD-ESG",
        "可持续发展报告辅导",
        "Sustainability reporting coaching",
        ADVICE,
        "service",
        None,
        4_200,
        "once",
        0,
        "Data sheet, draft, review. 数据表、初稿与复核。",
    ),
    (
        "DG-API",
        "银企直连接口",
        "Bank-to-ERP interface",
        DIGITAL,
        "subscription",
        None,
        240,
        "month",
        12,
        "Statements and payments over one channel. 对账与付款一体化。",
    ),
    (
        "DG-TOK",
        "企业网银安全令牌",
        "Security token",
        DIGITAL,
        "good",
        None,
        39,
        "once",
        0,
        "Signs payments without a telephone. 无需手机即可签署付款。",
    ),
    (
        "DG-FAX",
        "传真指令服务",
        "Payment orders by fax",
        DIGITAL,
        "service",
        None,
        15,
        "month",
        0,
        "No longer sold. 已停止销售。",
    ),
];

/// (Chinese, English, colour, category, objects)
const TAGS: &[(&str, &str, &str, &str, &[&str])] = &[
    ("重点客户", "Key account", "#0F766E", "value_tier", &["account", "opportunity"]),
    ("中欧贸易", "China–Europe trade", "#1D4ED8", "identity", &["account", "opportunity", "lead"]),
    ("家族企业", "Family firm", "#92400E", "identity", &["account"]),
    ("专精特新", "Hidden champion", "#6D28D9", "identity", &["account", "lead"]),
    ("绿色金融", "Green finance", "#15803D", "transaction", &["account", "opportunity"]),
    ("多币种", "Multi-currency", "#0369A1", "transaction", &["account", "opportunity"]),
    ("逾期关注", "Overdue watch", "#B91C1C", "risk", &["account"]),
    ("尽调资料待补", "KYC papers missing", "#C2410C", "risk", &["account", "case"]),
    ("决策人变动", "Decision maker changed", "#BE185D", "behaviour", &["account", "contact"]),
    ("活动参会", "Event guest", "#7C3AED", "behaviour", &["contact", "lead"]),
    ("偏好中文", "Prefers Chinese", "#4D7C0F", "behaviour", &["contact"]),
    ("春节问候名单", "New Year greetings", "#DC2626", "custom", &["contact"]),
    ("需要双语合同", "Bilingual contract", "#475569", "custom", &["opportunity", "contact"]),
    ("加急处理", "Rush", "#E11D48", "custom", &["case", "opportunity", "lead"]),
    ("监管关注", "Regulator watches", "#9F1239", "risk", &["case"]),
    ("系统问题", "System fault", "#334155", "custom", &["case"]),
];

/// Adds products and tags.
pub(crate) fn add(world: &mut World) {
    let moment = Moment { day: 735, zh: false, watch: 3 };
    for (index, row) in PRODUCTS.iter().enumerate() {
        let (code, zh, en, category, kind, risk, price, billing, months, description) = *row;
        let (demand, size_percent) = match category {
            LENDING => (5, 100),
            TRADE => (4, 60),
            INVEST => (3, 80),
            CASH => (3, 12),
            ADVICE => (2, 8),
            _ => (1, 3),
        };
        let product = Product { number: index + 1, zh, en, demand, size_percent };
        let discontinued = code == "DG-FAX";
        let mut fields = Fields::new();
        fields
            .set("code", code)
            .set("name", zh)
            .set("name_en", en)
            .set("category", category)
            .set("brand", "Kogge & Anker")
            .set("type", kind)
            .set("status", if discontinued { "discontinued" } else { "active" })
            .set("sale_from", world.calendar.date(700 - 20 * index as i64))
            .maybe("sale_to", discontinued.then(|| world.calendar.date(90)))
            .set("sales_unit", if kind == "good" { "piece 件" } else { "contract 份" })
            .set("tax_rate", if kind == "financial" { "0.00" } else { "19.00" })
            .set("billing_period", billing)
            .maybe("risk_rating", risk)
            .set("description", description);
        if price > 0 {
            fields.money("list_price", price, false).money("cost", price * 2 / 5, false);
        }
        if months > 0 {
            fields.set("min_term_months", months);
        }
        world.push("product", &product.key(), fields, Vec::new(), moment);
        if !discontinued {
            world.products.push(product);
        }
    }
    for (index, (zh, en, colour, category, objects)) in TAGS.iter().enumerate() {
        let key = format!("tag-{:03}", index + 1);
        let mut fields = Fields::new();
        fields
            .set("name", *zh)
            .set("name_en", *en)
            .set("colour", *colour)
            .set("category", *category)
            .set("source", "manual")
            .set("objects", objects.to_vec());
        world.push("tag", &key, fields, Vec::new(), moment);
        world.tags.push((key, objects));
    }
}
