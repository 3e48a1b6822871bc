// Which part of the manual belongs to which page. The manual comes from the appliance itself; a test looks each part up in docs/.

import type { Language } from "~/i18n";

/** A page of the manual without its ending, and the heading of a part in it; without one the whole page. */
export type Topic = { page: string; part: { en: string; zh: string } };

const part = (page: string, en = "", zh = ""): Topic => ({ page, part: { en, zh } });

export const TOPICS = {
  home: part("user/home", "Home", "主页"),
  arranging: part("user/home", "Arranging the home page", "调整布局"),
  favourites: part("user/home", "Favourites", "收藏"),
  settings: part("user/home", "Settings", "设置"),
  list: part("user/interface", "Lists", "列表"),
  views: part("user/views", "Saved views", "已保存的视图"),
  groups: part("user/views", "Groups and sums", "分组与合计"),
  board: part("user/views", "Board", "看板"),
  calendar: part("user/views", "Calendar", "日历"),
  feed: part("user/views", "The calendar in another program", "在其他程序中使用日历"),
  record: part("user/interface", "A record", "记录"),
  access: part("user/workplace", "Who saw this", "谁看过"),
  keys: part("user/interface", "Keys", "按键"),
  frame: part("user/interface"),
  users: part("admin/screens", "Users", "用户"),
  units: part("admin/screens", "Units", "机构"),
  teams: part("admin/screens", "Teams", "团队"),
  roles: part("admin/screens", "Roles and rights", "角色与权限"),
  rights: part("admin/screens", "Check a right", "核对权限"),
  viewAs: part("admin/screens", "View as", "以其视角查看"),
  objects: part("admin/screens", "Objects and fields", "对象与字段"),
  layouts: part("admin/screens", "Layouts", "布局"),
  health: part("admin/screens", "System health", "系统状态"),
  backups: part("admin/backup", "In the browser", "在浏览器中"),
  picks: part("admin/pick", "In the browser", "在浏览器中"),
  tokens: part("admin/screens", "API tokens", "接口令牌"),
  firstRun: part("admin/settings", "The first run", "首次设置"),
  house: part("admin/settings", "Settings", "系统设置"),
  sample: part("admin/settings", "Sample data", "示例数据"),
  audit: part("auditor/desk"),
  import: part("user/import"),
} as const satisfies { [name: string]: Topic };

export type TopicName = keyof typeof TOPICS;

type Search = { as?: string; by?: string; tab?: string };

const PLACES: [RegExp, (search: Search) => TopicName][] = [
  [/^\/$/, () => "home"],
  [/^\/settings/, () => "settings"],
  [/^\/import/, () => "import"],
  [/^\/tokens/, () => "tokens"],
  [/^\/audit/, () => "audit"],
  [/^\/admin\/users/, () => "users"],
  [/^\/admin\/units/, () => "units"],
  [/^\/admin\/teams/, () => "teams"],
  [/^\/admin\/roles/, () => "roles"],
  [/^\/admin\/rights/, () => "rights"],
  [/^\/admin\/view-as/, () => "viewAs"],
  [/^\/admin\/objects\/[^/]+\/layout/, () => "layouts"],
  [/^\/admin\/objects/, () => "objects"],
  [/^\/admin\/backups\/pick/, () => "picks"],
  [/^\/admin\/backups/, () => "backups"],
  [/^\/admin\/health/, () => "health"],
  [/^\/admin\/appliance/, () => "house"],
  [/^\/setup/, () => "firstRun"],
  [/^\/o\/[^/]+\/./, ({ tab }) => (tab === "access" ? "access" : "record")],
  [/^\/o\//, ({ as, by }) => (as === "board" ? "board" : as === "calendar" ? "calendar" : by ? "groups" : "list")],
];

/** What helps on the page at this address, below the base of the interface. */
export function topicOf(path: string, search: Search): TopicName {
  return PLACES.find(([pattern]) => pattern.test(path))?.[1](search) ?? "frame";
}

/** The address of a page of the manual in a language. */
export function manualPage(page: string, language: Language): string {
  return `/docs/${page}${language === "zh" ? ".zh-CN" : ""}`;
}

/** The anchor that the manual gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Alphabetic}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
