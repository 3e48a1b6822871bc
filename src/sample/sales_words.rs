//! What sales people write: remarks, purposes, next steps. `{firm}`, `{city}`, `{person}` and `{product}` are filled in.

use crate::random::Random;

/// Where customers come from.
pub(crate) fn source(random: &mut Random) -> &'static str {
    random.weighted(&[
        ("referral", 27),
        ("website", 19),
        ("exhibition", 13),
        ("event", 12),
        ("partner", 10),
        ("cold_call", 8),
        ("email", 5),
        ("social", 4),
        ("advertising", 2),
    ])
}

pub(crate) const ACCOUNT_REMARKS_ZH: &[&str] = &[
    "总部位于{city}，产品主要销往北欧和德国，汇率波动对利润影响较大。",
    "{firm}由两位合伙人创立，财务制度规范，资料提供及时。",
    "现有主要往来银行两家，对网银响应速度不满意，愿意试用我们的银企直连。",
    "每年四季度备货，资金需求集中在九月至十一月。",
    "计划在吕贝克设立子公司，需要开户、注册及人员签证方面的协助。",
    "管理层年轻，决策快，但对价格敏感，报价需附同业对比。",
    "经老客户介绍认识，对跨境资金归集有明确兴趣。",
    "厂房为自有物业，可提供抵押；设备更新计划分两期实施。",
    "财务负责人每周三固定在办公室，其他时间优先使用企业微信。",
    "近期更换了法定代表人，需更新授权书与预留印鉴。",
];
pub(crate) const ACCOUNT_REMARKS_EN: &[&str] = &[
    "Based in {city}; about a third of turnover goes to China and is invoiced in renminbi.",
    "{firm} is run by the third generation. Succession is open and a sensitive subject.",
    "House bank is a savings bank; unhappy with its turnaround on letters of credit.",
    "Seasonal business: cash is tight from March to May, comfortable from September.",
    "Wants a single contact for Lübeck and Shanghai. Introduced to our colleagues in Pudong.",
    "Decides slowly but stays loyal. Board meets on the first Tuesday of the month.",
    "New warehouse planned for next year, land is already bought.",
    "Accounts arrive late every year; remind the auditor in April.",
    "Met at the harbour trade fair. Interested in hedging, not yet in lending.",
    "Pays suppliers in three currencies and reconciles by hand; good case for the ERP interface.",
];
pub(crate) const CONTACT_REMARKS_ZH: &[&str] = &[
    "说话直接，喜欢先看数字再谈方案。",
    "微信回复很快，电话一般不接。",
    "会讲德语，曾在汉堡留学四年。",
    "每月底忙于结账，避免二十五日以后拜访。",
    "爱喝普洱，对航海史很感兴趣。",
    "资料需同时抄送其助理。",
    "谨慎细致，合同条款会逐条核对。",
    "希望每季度收到一份汇率简报。",
];
pub(crate) const CONTACT_REMARKS_EN: &[&str] = &[
    "Prefers a short call to a long mail.",
    "Reads every clause; send contracts two days early.",
    "Speaks Mandarin, spent six years in Ningbo.",
    "Away every August; deputy takes over.",
    "Sails on Wednesdays, so never after three o'clock.",
    "Wants figures first and slides never.",
    "Moved from purchasing to finance last spring.",
    "Asks for the quarterly currency letter in print.",
];

pub(crate) const PURPOSES_ZH: &[&str] = &[
    "二期项目",
    "年度续作",
    "旺季备货",
    "德国子公司",
    "新产线",
    "集团统一方案",
    "试点部门",
    "出口订单",
    "仓储扩建",
    "海外参展",
];
pub(crate) const PURPOSES_EN: &[&str] = &[
    "second phase",
    "annual renewal",
    "autumn stock",
    "Shanghai subsidiary",
    "new line",
    "group-wide",
    "pilot",
    "export order",
    "warehouse extension",
    "next year's budget",
];

pub(crate) const NEXT_STEPS_ZH: &[&str] = &[
    "与{person}确认担保物清单",
    "补充近三年审计报告后提交授信审批",
    "发送修改后的报价与费率对比表",
    "约定视频会议，邀请吕贝克同事参加",
    "等待客户董事会决议",
    "准备双语合同文本",
    "拜访现场并拍摄设备照片",
    "请法务复核保函文本",
];
pub(crate) const NEXT_STEPS_EN: &[&str] = &[
    "Agree the list of securities with {person}",
    "Get the audited accounts and submit to credit",
    "Send the revised offer with the fee comparison",
    "Set up a call with the Pudong team",
    "Wait for the board's decision",
    "Prepare the bilingual contract",
    "Visit the site with the valuer",
    "Have legal check the guarantee wording",
];

pub(crate) const DEAL_REMARKS_ZH: &[&str] = &[
    "{person}表示希望在季度末前落地{product}，目前另有一家银行参与比价。",
    "客户关注放款时间与提前还款条款，利率并非首要因素。",
    "首次沟通效果良好，{person}愿意引荐其德国母公司的资金部门。",
    "需求明确，但内部流程较长：财务、法务、总经理三级审批。",
    "客户希望{product}与现有ERP对接，需技术同事评估工作量。",
    "担保方式尚未确定，建议以应收账款质押为主、保证为辅。",
    "上次因价格未能合作，此次强调两地服务与结算速度。",
];
pub(crate) const DEAL_REMARKS_EN: &[&str] = &[
    "{person} wants {product} in place before the end of the quarter; one other bank is quoting.",
    "Speed of payout and early repayment matter more to them than the margin.",
    "Good first meeting. {person} offered to introduce the parent company's treasury.",
    "Need is clear, road is long: finance, legal and the supervisory board must all agree.",
    "They expect {product} to work with their ERP; our technical colleagues are estimating the effort.",
    "Security is open. Proposal: assignment of receivables first, a guarantee on top.",
    "Lost them on price last time; this time we argue with one service in two countries.",
];

/// Lead topics with the need behind them.
pub(crate) const LEAD_TOPICS_ZH: &[(&str, &str)] = &[
    ("咨询欧元账户开立", "在德国有长期供应商，需要欧元账户付款。"),
    ("跨境电商收款方案", "希望降低收款手续费并缩短到账时间。"),
    ("设备进口融资", "拟从德国进口生产线一条，首付三成。"),
    ("绿色贷款利率咨询", "屋顶光伏项目，已完成备案。"),
    ("代发薪酬服务询价", "两地员工约八十人，希望统一发放。"),
    ("投标保函办理", "下月投标，保函格式由招标方指定。"),
    ("外汇套期保值培训", "财务团队希望先了解远期结售汇规则。"),
    ("德国市场进入咨询", "考虑在吕贝克设立仓库与销售公司。"),
    ("大额存款利率比较", "闲置资金约三个月可用。"),
];
pub(crate) const LEAD_TOPICS_EN: &[(&str, &str)] = &[
    ("Account in renminbi", "Pays two suppliers in Ningbo and loses on the conversion."),
    ("Loan for a used vessel", "Purchase agreement signed, survey still open."),
    ("Letter of credit for first import", "First order of bicycle parts from China, seller insists on security."),
    ("Payroll in two countries", "Twelve employees in Shanghai from January."),
    ("Factoring enquiry", "Large customers pay after ninety days."),
    ("Green loan for heat pump plant", "Subsidy granted, own share missing."),
    ("Succession: selling to employees", "Owner is 63 and has no heirs in the firm."),
    ("Hedging dollar invoices", "Wants to understand forwards before deciding."),
    ("Custody for a small foundation", "Capital to be invested with low risk."),
];
