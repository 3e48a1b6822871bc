// The words of the reader page in both languages. Texts of the API itself come from its description.
export const words = {
  en: {
    manual: "Manual", raw: "OpenAPI text", theme: "Light / dark", search: "Find", loading: "Loading…", failed: "The description could not be loaded:",
    schemas: "Shapes", limits: "Limits", errors: "Errors", name: "Name", value: "Value", about: "Meaning", where: "Where", type: "Type", code: "Code",
    status: "Status", retry: "Try again", yes: "yes", no: "no", parameters: "Parameters", body: "Request", answer: "Answer", access: "Access",
    required: "required", nothing: "Nothing fits.", other: "中文",
    note: "Without signing in you see the objects as they ship. Signed in, you see those of this appliance that you may know of, custom fields included.",
    access_sealed_ok: "anybody, also while sealed", access_public: "anybody", access_signed_in: "whoever is signed in; records are decided one by one", access_act: "needs the right",
  },
  zh: {
    manual: "手册", raw: "OpenAPI 文本", theme: "浅色 / 深色", search: "查找", loading: "正在载入…", failed: "无法载入 API 描述：",
    schemas: "数据结构", limits: "限制", errors: "错误", name: "名称", value: "值", about: "含义", where: "位置", type: "类型", code: "代码",
    status: "状态码", retry: "可重试", yes: "是", no: "否", parameters: "参数", body: "请求体", answer: "应答", access: "访问要求",
    required: "必填", nothing: "没有匹配项。", other: "English",
    note: "未登录时显示出厂对象；登录后显示本系统中您可知晓的对象，包括自定义字段。",
    access_sealed_ok: "任何人，封存状态下亦可", access_public: "任何人", access_signed_in: "已登录用户；逐条记录判定权限", access_act: "需要权限",
  },
};
