//! What clients ask and complain about, and what is answered, in both languages.

/// One kind of case.
#[derive(Clone, Copy, Default)]
pub(crate) struct Matter {
    pub(crate) subject: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) category: &'static str,
    pub(crate) sub_category: &'static str,
    pub(crate) description: &'static str,
    pub(crate) resolution: &'static str,
    pub(crate) root_cause: &'static str,
}

const fn matter(
    subject: &'static str,
    kind: &'static str,
    [category, sub_category]: [&'static str; 2],
    description: &'static str,
    resolution: &'static str,
    root_cause: &'static str,
) -> Matter {
    Matter { subject, kind, category, sub_category, description, resolution, root_cause }
}

pub(crate) const MATTERS_ZH: &[Matter] = &[
    matter(
        "网银登录提示令牌失效",
        "incident",
        ["网银", "安全令牌"],
        "{person}来电称安全令牌显示序列号后无法通过验证，{firm}今日有三笔付款需在下午四点前完成。",
        "已远程重新同步令牌时间，客户当场登录成功；建议每年更换电池。",
        "product",
    ),
    matter(
        "跨境付款未到账",
        "query",
        ["支付结算", "跨境汇款"],
        "付款已发出五个工作日，收款行表示未收到。客户提供了水单复印件，请协助查询路径。",
        "经查中间行要求补充用途说明，补充后次日入账。",
        "process",
    ),
    matter(
        "对账单缺少附言",
        "complaint",
        ["账户服务", "对账单"],
        "本月电子对账单中附言字段为空，{firm}财务无法自动核销。",
        "接口字段映射有误，已修复并补发当月对账单。",
        "system",
    ),
    matter(
        "申请变更预留印鉴",
        "request",
        ["账户服务", "资料变更"],
        "{firm}更换法定代表人，需变更预留印鉴及授权签字人。",
        "资料齐全，已完成变更并归档。",
        "customer",
    ),
    matter(
        "手续费收取有异议",
        "complaint",
        ["费用", "账户管理费"],
        "客户认为合同约定首年免收账户管理费，但系统已扣收三个月。",
        "核对合同属实，已全额退还并致歉。",
        "process",
    ),
    matter(
        "申请开具资信证明",
        "request",
        ["证明", "资信证明"],
        "用于海外投标，需中英文双语版本，希望三日内取得。",
        "已出具双语资信证明两份，客户到访领取。",
        "other",
    ),
    matter(
        "信用证单据不符点咨询",
        "query",
        ["贸易融资", "信用证"],
        "开证行提出提单日期不符，{person}希望了解能否申请接受不符点。",
        "已联系开证行，申请人同意接受，款项已付。",
        "customer",
    ),
    matter(
        "银企直连接口超时",
        "incident",
        ["数字渠道", "接口"],
        "自上午九点起ERP查询余额频繁超时，已影响付款审批。",
        "扩容网关连接数后恢复，持续观察两日无异常。",
        "system",
    ),
    matter(
        "建议增加德语对账单",
        "suggestion",
        ["账户服务", "对账单"],
        "{person}建议为德国母公司提供德语版对账单，便于合并报表。",
        "已登记需求，纳入下季度产品计划。",
        "other",
    ),
    matter(
        "保函正本邮寄地址更正",
        "request",
        ["贸易融资", "保函"],
        "保函正本寄往旧仓库地址，请更正并追踪快件。",
        "已联系快递改派，客户确认收到。",
        "people",
    ),
    matter(
        "贷款提前还款试算",
        "query",
        ["贷款", "还款"],
        "{firm}计划提前归还部分本金，请测算违约金与剩余利息。",
        "已发送试算表，客户决定下月办理。",
        "other",
    ),
    matter(
        "客户经理多次未回电",
        "complaint",
        ["服务", "响应时效"],
        "{person}反映一周内三次留言未获回复，希望更换联系人。",
        "主管已致电致歉，安排专人跟进并设置回电提醒。",
        "people",
    ),
];

pub(crate) const MATTERS_EN: &[Matter] = &[
    matter(
        "Security token rejected at sign-in",
        "incident",
        ["Online banking", "Token"],
        "{person} reports that the token shows a number but the code is refused. {firm} must release salaries today.",
        "Clock of the token synchronised on the telephone; sign-in worked. Replacement posted.",
        "product",
    ),
    matter(
        "Payment to Shanghai has not arrived",
        "query",
        ["Payments", "Cross-border"],
        "Sent five working days ago, beneficiary's bank sees nothing. Copy of the order attached.",
        "The intermediary asked for the purpose of payment; supplied, credited the next day.",
        "process",
    ),
    matter(
        "Statement file without remittance text",
        "complaint",
        ["Accounts", "Statements"],
        "Since the last release the text field is empty and {firm} cannot reconcile automatically.",
        "Mapping of the field corrected, this month's files sent again.",
        "system",
    ),
    matter(
        "Change of authorised signatories",
        "request",
        ["Accounts", "Mandate"],
        "Two directors left {firm}; new specimen signatures enclosed.",
        "Mandate updated after check of the register extract.",
        "customer",
    ),
    matter(
        "Fee charged twice",
        "complaint",
        ["Fees", "Account fee"],
        "The quarterly fee appears on both the old and the new account.",
        "Second fee refunded with value date; rule for moved accounts corrected.",
        "process",
    ),
    matter(
        "Bank reference letter for a tender",
        "request",
        ["Certificates", "Reference"],
        "Needed in English and Chinese by Friday noon.",
        "Both letters signed and collected at the counter.",
        "other",
    ),
    matter(
        "Discrepancy under letter of credit",
        "query",
        ["Trade finance", "Letter of credit"],
        "Weight on the packing list differs by 40 kg. {person} asks whether we can still present.",
        "Presented under reserve, applicant accepted, proceeds credited.",
        "customer",
    ),
    matter(
        "ERP interface returns time-outs",
        "incident",
        ["Digital", "Interface"],
        "Balance requests time out every few minutes since nine o'clock; payment run is blocked.",
        "Connection pool of the gateway enlarged; no time-outs for two days.",
        "system",
    ),
    matter(
        "Please offer statements in Chinese",
        "suggestion",
        ["Accounts", "Statements"],
        "{person} would like bilingual statements for the auditors in Ningbo.",
        "Wish recorded for the product plan of next quarter.",
        "other",
    ),
    matter(
        "Guarantee sent to the wrong address",
        "request",
        ["Trade finance", "Guarantee"],
        "The original went to the old warehouse. Please redirect the courier.",
        "Courier redirected, receipt confirmed.",
        "people",
    ),
    matter(
        "Early repayment quote",
        "query",
        ["Lending", "Repayment"],
        "{firm} considers repaying half of the equipment loan and asks for the break cost.",
        "Calculation sent; client will decide after the board meeting.",
        "other",
    ),
    matter(
        "Nobody calls back",
        "complaint",
        ["Service", "Response"],
        "{person} left three messages in one week and wants another contact.",
        "Team lead apologised in person; call-back reminders now set for this client.",
        "people",
    ),
];

pub(crate) const SURVEY_ZH: &[&str] =
    &["处理很快，谢谢！", "解释清楚，态度专业。", "问题解决了，但等待时间偏长。", "希望下次能一次性告知所需资料。"];
pub(crate) const SURVEY_EN: &[&str] = &[
    "Quick and friendly, thank you.",
    "Clear explanation.",
    "Solved, but I had to call twice.",
    "Please tell me all papers you need at once.",
];
