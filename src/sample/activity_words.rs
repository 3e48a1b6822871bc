//! What people note down about calls, meetings, tasks. `{person}`, `{firm}` and `{name}` are filled in.

pub(crate) const TASKS_ZH: &[&str] = &[
    "向{person}发送报价对比表",
    "补齐{firm}的尽调资料",
    "准备{firm}授信报告",
    "催收{firm}上季度财务报表",
    "核对{firm}合同双语文本",
    "预约{firm}现场考察",
    "更新{firm}受益所有人信息",
    "回复{person}关于汇率锁定的问题",
    "整理{firm}续作材料",
    "为{person}安排网银培训",
    "确认{firm}保函格式",
    "向{person}寄送新年贺卡",
];
pub(crate) const TASKS_EN: &[&str] = &[
    "Send the fee comparison to {person}",
    "Complete the KYC file of {firm}",
    "Write the credit paper for {firm}",
    "Chase the quarterly figures of {firm}",
    "Check the bilingual contract for {firm}",
    "Book the site visit at {firm}",
    "Update the beneficial owners of {firm}",
    "Answer {person} on fixing the rate",
    "Put together the renewal for {firm}",
    "Arrange online banking training for {person}",
    "Confirm the wording of the guarantee for {firm}",
    "Post the invitation to {person}",
];
pub(crate) const CALLS_ZH: &[&str] = &[
    "与{person}沟通资金安排",
    "致电{person}确认资料清单",
    "{person}来电询问审批进度",
    "回访{firm}使用情况",
    "与{person}讨论费率",
    "提醒{person}账户年检",
];
pub(crate) const CALLS_EN: &[&str] = &[
    "{person} about the cash plan",
    "Papers still missing, {firm}",
    "{person} asks about the approval",
    "Follow-up with {firm}",
    "Talked fees with {person}",
    "Reminded {person} of the annual review",
];
pub(crate) const MEETINGS_ZH: &[&str] = &[
    "{firm}项目启动会",
    "拜访{firm}",
    "与{person}的季度回顾",
    "{firm}方案讲解",
    "{firm}与吕贝克同事视频会",
    "{firm}授信条件商谈",
];
pub(crate) const MEETINGS_EN: &[&str] = &[
    "Kick-off with {firm}",
    "Visit to {firm}",
    "Quarterly review with {person}",
    "Presentation at {firm}",
    "Video call {firm} with Pudong",
    "Terms and securities, {firm}",
];
pub(crate) const NOTES_ZH: &[&str] =
    &["{firm}内部决策流程", "{person}的偏好", "{firm}竞争情况", "{firm}近期动态", "交接说明：{firm}", "{firm}信用观察"];
pub(crate) const NOTES_EN: &[&str] = &[
    "How {firm} decides",
    "What {person} cares about",
    "Who else talks to {firm}",
    "News from {firm}",
    "Hand-over: {firm}",
    "Credit watch {firm}",
];

/// First sentences of a text; the second list follows on.
pub(crate) const OPENINGS_ZH: &[&str] = &[
    "{person}反馈总体满意，但希望审批更快。",
    "客户已收到资料，正在内部传阅。",
    "对方财务表示下周可以提供最新流水。",
    "本次主要讨论担保方式和放款节奏。",
    "{person}提到另一家银行给出了更低的费率。",
    "{firm}今年订单增长约两成，备货压力明显。",
    "客户对两地联动服务表示认可。",
    "{firm}准备更换ERP，接口需要重新评估。",
];
pub(crate) const OPENINGS_EN: &[&str] = &[
    "{person} is content on the whole but wants faster approvals.",
    "Papers have arrived and are going round the house.",
    "Their accountant will send new figures next week.",
    "Mainly about securities and when to draw.",
    "{person} mentioned a cheaper offer from another bank.",
    "Orders at {firm} are up by a fifth, stock is the bottleneck.",
    "They like that Lübeck and Shanghai answer with one voice.",
    "{firm} is changing its ERP; the interface must be looked at again.",
];
pub(crate) const ENDINGS_ZH: &[&str] = &[
    "约定周五前给出书面答复。",
    "下一步由我方准备合同文本。",
    "需与风险部门再确认一次额度。",
    "已抄送团队负责人。",
    "两周后再次联系。",
    "请浦东同事协助翻译附件。",
    "客户希望保留现有联系人。",
];
pub(crate) const ENDINGS_EN: &[&str] = &[
    "Written answer promised by Friday.",
    "Next: we draft the contract.",
    "Limit to be confirmed with risk once more.",
    "Team lead is informed.",
    "Call again in two weeks.",
    "Colleagues in Pudong will help with the annexes.",
    "They want to keep their present contact.",
];
pub(crate) const ROOMS_ZH: &[&str] = &["客户会议室", "浦东分部 3 号会议室", "徐汇分部贵宾室", "客户工厂", "茶室"];
pub(crate) const ROOMS_EN: &[&str] = &[
    "At the client's office",
    "Salzspeicher, room Kogge",
    "Travemünde, harbour room",
    "Client's warehouse",
    "Coffee house by the cathedral",
];
