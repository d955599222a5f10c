//! The requirements: what people who buy, sell, lend and answer expect, one phrase each in English and Chinese.
//!
//! R rows come from four published guides for shoppers; H rows from the questions around them.

/// A requirement.
pub struct Row {
    pub id: &'static str,
    pub english: &'static str,
    pub chinese: &'static str,
    /// What a later issue will do about it; empty when it is to be met now.
    pub later: &'static str,
}

const fn now(id: &'static str, english: &'static str, chinese: &'static str) -> Row {
    Row {
        id,
        english,
        chinese,
        later: "",
    }
}

const fn later(id: &'static str, english: &'static str, chinese: &'static str, later: &'static str) -> Row {
    Row {
        id,
        english,
        chinese,
        later,
    }
}

const ROOMS: &str = "the pages for shoppers and staff";
const BUREAU: &str = "reporting to a credit bureau";
const CASES: &str = "cases: people who answer";
const PRICES: &str = "coupons and discounts at checkout";
const ASSESS: &str = "the assessment of history and ability";
const DOORS: &str = "log-in, phone change, export and erasure";
const PARTIES: &str = "institutions and payment rails outside the process";
const PACKS: &str = "the packs of other jurisdictions";

/// Every requirement, in order.
pub const ROWS: &[Row] = &[
    now("R1", "several institutions behind one shop", "多家分期机构"),
    now(
        "R2",
        "an institution paused by region, product and time",
        "按地区、商品、时间暂停分期",
    ),
    now(
        "R3",
        "a partnership that starts, pauses and runs off",
        "合作关系变化与存量合同继续服务",
    ),
    now(
        "R4",
        "a new partner, or a resumed one, by configuration",
        "新合作伙伴接入与恢复",
    ),
    now(
        "R5",
        "maintenance windows for each capability and party",
        "系统维护，部分功能暂时下线",
    ),
    now(
        "R6",
        "public notices with the expected recovery time",
        "官方公告与预计恢复时间",
    ),
    now(
        "R7",
        "a technical fault is temporary, and no judgement",
        "技术故障，稍后再试",
    ),
    now(
        "R8",
        "products, prices and promotions that are not financed",
        "特价、促销商品不支持分期",
    ),
    now(
        "R9",
        "third-party sellers by their agreement, line by line",
        "第三方卖家合作条款限制",
    ),
    now(
        "R10",
        "what a plan costs the shop, and a guard for its margin",
        "商户分期成本与利润保护",
    ),
    now(
        "R11",
        "alternatives with every refusal",
        "其他支付方式或更合适的时机",
    ),
    now(
        "R12",
        "assessment by history and ability",
        "信用历史与还款能力评估",
    ),
    now(
        "R13",
        "each institution has its own minimum",
        "各金融机构的最低要求",
    ),
    now("R14", "advice on how to improve", "提高信用记录的建议"),
    now(
        "R15",
        "when to apply again after a decline",
        "暂时拒绝与再次申请时间",
    ),
    now(
        "R16",
        "law and coverage of a region are two reasons",
        "地区法规与服务覆盖范围",
    ),
    later(
        "R17",
        "currency, time zone, calendar and law of each region",
        "各地区的法律法规与币种",
        PACKS,
    ),
    now(
        "R18",
        "reasons and remedies before checkout",
        "了解具体原因及解决方案",
    ),
    now("R19", "a limit: used, held, available", "可用额度"),
    later(
        "R20",
        "a limit that moves with the record",
        "额度动态调整",
        ASSESS,
    ),
    now(
        "R21",
        "a limit that is too small, and one that is used up",
        "超过剩余额度与额度已全部占用",
    ),
    now("R22", "principal repaid frees the limit at once", "还款释放额度"),
    now(
        "R23",
        "plans shown with their reason rather than gone",
        "结算页面没有分期选项",
    ),
    now(
        "R24",
        "holds and disputes stop new credit only",
        "账户冻结与未处理争议",
    ),
    now("R25", "every hold with what resolves it", "及时解决待处理问题"),
    now(
        "R26",
        "versioned terms with their regions",
        "查看服务条款与服务范围",
    ),
    later(
        "R27",
        "a self-check: account, limit, bills, holds",
        "检查个人账户和信用状况",
        ROOMS,
    ),
    now(
        "R28",
        "a limit of one's own, and guards for one's means",
        "不影响财务健康",
    ),
    now(
        "R29",
        "an outage alters no due date by itself",
        "还款责任仍然存在",
    ),
    now("R30", "repayment runs with checkout down", "还款通道独立运行"),
    later(
        "R31",
        "the same state on the web, in an app, by API",
        "官方网站与应用",
        ROOMS,
    ),
    now("R32", "binding, choosing and unbinding cards", "绑定还款银行卡"),
    now("R33", "bills with every component and date", "我的账单与应还金额"),
    now(
        "R34",
        "paying the orders one chooses, with a preview",
        "选择订单还款",
    ),
    later(
        "R35",
        "messages by several channels",
        "短信、推送与社区通知",
        PARTIES,
    ),
    now("R36", "temporary arrangements for many at once", "临时还款安排"),
    now(
        "R37",
        "failed and unknown payments, retried safely",
        "还款失败与系统错误",
    ),
    later("R38", "a case with a timeline and an answer", "客服与工单", CASES),
    now("R39", "late fees: basis, rate, cap, grace, waiver", "滞纳金"),
    later(
        "R40",
        "bureau reporting, disclosed before",
        "个人信用记录影响",
        BUREAU,
    ),
    now("R41", "financing some lines of a cart", "选择要分期的商品"),
    now(
        "R42",
        "every plan with amounts, both rates and who pays",
        "分期方案一目了然",
    ),
    now("R43", "proving who one is, once", "首次使用实名认证"),
    now(
        "R44",
        "a face or a photographed document",
        "人脸识别或上传身份证照片",
    ),
    now(
        "R45",
        "choosing institution and plan, in neutral order",
        "选择分期机构及方案",
    ),
    now(
        "R46",
        "documents read, agreed to and confirmed once",
        "阅读并同意协议后确认支付",
    ),
    now(
        "R47",
        "a card bound for automatic repayment",
        "绑定银行卡自动还款",
    ),
    now(
        "R48",
        "a warning before the debit, and retries",
        "余额不足导致逾期",
    ),
    now("R49", "the schedule of each order", "订单的分期账单及每期还款日"),
    now("R50", "reminders before the due date", "还款日提醒"),
    later(
        "R51",
        "servicing by the institution itself",
        "分期机构官方平台还款",
        PARTIES,
    ),
    now(
        "R52",
        "an early settlement quote that names its fee",
        "提前还款手续费",
    ),
    now(
        "R53",
        "paying by other means and other people",
        "通过其他方式还款",
    ),
    now(
        "R54",
        "reminders of what is late, within the law's hours",
        "逾期提醒",
    ),
    now("R55", "history and settlement certificate", "还款记录与结清证明"),
    later("H1", "an emergency contact who consented", "第一联系人", DOORS),
    now("H2", "when the limit comes back, for each event", "额度恢复时间"),
    now(
        "H3",
        "refunds, and whether this bill is still due",
        "分期退款与还款",
    ),
    now("H4", "early and partial prepayment", "提前还款与部分提前还款"),
    now("H5", "interest-free campaigns with a budget", "免息活动"),
    later("H6", "coupons and points", "优惠券与积分", PRICES),
    later("H7", "instant discounts and how they stack", "立减", PRICES),
    later(
        "H8",
        "closing the service, unbinding, deleting",
        "关闭分期与注销",
        DOORS,
    ),
    later("H9", "extension and grace", "延期与宽限期", CASES),
    later(
        "H10",
        "hardship plans, and collection that stops",
        "协商还款与停催",
        CASES,
    ),
    later(
        "H11",
        "other rails as institutions",
        "花呗分期与信用卡分期",
        PARTIES,
    ),
    now("H12", "history of availability", "分期功能临时受限"),
    later(
        "H13",
        "what is reported when, and objections",
        "是否影响征信",
        BUREAU,
    ),
    later("H14", "cash-out is noticed", "套现识别", ASSESS),
    now("H15", "asking for credit costs nothing", "额度申请不扣费"),
    now("H16", "identity steps resumed where they stopped", "快速认证"),
    now("H17", "a hold on the whole amount, explained", "为何显示全额额度"),
    now("H18", "capture on shipment", "发货与请款"),
    now("H19", "down payments", "首付"),
    later("H20", "changing one's phone", "更改手机号", DOORS),
    now("H21", "why a debit failed, and never twice", "扣款失败与重复扣款"),
    later(
        "H22",
        "who collects, how often, in which words",
        "催收规范",
        CASES,
    ),
    later(
        "H23",
        "opting in explicitly and out in one step",
        "一键关闭",
        DOORS,
    ),
    later("H24", "a public calculator of annual rates", "手续费换算", ROOMS),
    later(
        "H25",
        "export, and an institution that closes",
        "平台倒闭与权益保障",
        DOORS,
    ),
    now("H26", "majority, by the identity document", "年龄要求"),
    now("H27", "waiting for the money, with cut-off times", "待放款状态"),
];
