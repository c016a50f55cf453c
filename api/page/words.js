// SPDX-License-Identifier: Apache-2.0
// Every sentence of the page, in English and Chinese. {0} stands for an argument.
const WORDS = {
  title: ["ocp-server API", "ocp-server API"],
  other: ["中文", "English"],
  user: ["User", "用户"],
  password: ["Password", "密码"],
  use: ["Use", "使用"],
  signedIn: ["Signed in as {0}. Kept in this tab only.", "已作为 {0} 登录，仅保存在本标签页内存中。"],
  signedOut: ["Not signed in.", "未登录。"],
  changeFirst: ["The first password must be changed:", "请先修改初始密码："],
  search: ["Search operations", "搜索接口"],
  searchHint: ["Search: path, name, permission", "搜索：路径、名称、权限"],
  count: ["{0} of {1} operations", "共 {1} 个接口，显示 {0} 个"],
  none: ["Nothing matches “{0}”.", "没有与“{0}”匹配的接口。"],
  clear: ["Clear the search", "清除搜索"],
  loading: ["Loading the description of the API…", "正在加载接口描述…"],
  failed: ["The description of the API could not be loaded: {0}", "无法加载接口描述：{0}"],
  again: ["Try again", "重试"],
  unknown: ["There is no operation “{0}”.", "不存在接口“{0}”。"],
  welcome: ["Every operation of this server", "本服务器的全部接口"],
  welcomeText: [
    "Choose an operation on the left, fill in what it needs and send it: the answer comes from this server, with the user's own permissions.",
    "在左侧选择接口，填写参数后发送：应答来自本服务器，权限与所填用户一致。",
  ],
  keys: ["search · move in the list · open · send", "搜索 · 在列表中移动 · 打开 · 发送"],
  document: ["OpenAPI 3.1 document", "OpenAPI 3.1 文档"],
  originDocumented: ["in OCP's published reference", "OCP 公开文档接口"],
  originAdditional: ["used by OCP's client programs", "OCP 客户端程序使用的接口"],
  originOwn: ["ocp-server's own", "ocp-server 自有接口"],
  permission: ["permission {0}", "权限 {0}"],
  permissionPublic: ["no login", "无需登录"],
  permissionLogin: ["any user", "任意用户"],
  async: ["starts a task", "启动任务"],
  parameters: ["Parameters", "参数"],
  name: ["Name", "名称"],
  type: ["Type", "类型"],
  meaning: ["Meaning", "含义"],
  value: ["Value", "值"],
  inPath: ["path", "路径"],
  inQuery: ["query", "查询"],
  required: ["required", "必填"],
  body: ["Body", "请求体"],
  bodyOptional: ["may be left empty", "可为空"],
  onlyRequired: ["Required members", "仅必填成员"],
  allMembers: ["All members", "全部成员"],
  members: ["Members of the body", "请求体成员"],
  bodyIsNot: ["The body is not JSON: {0}", "请求体不是有效的 JSON：{0}"],
  missing: ["Fill in “{0}” first.", "请先填写“{0}”。"],
  send: ["Send", "发送"],
  stop: ["Stop", "停止"],
  copy: ["Copy as curl", "复制为 curl 命令"],
  copied: ["Copied. curl asks for the password.", "已复制，curl 会提示输入密码。"],
  notCopied: ["The browser does not allow copying; here it is:", "浏览器不允许复制，命令如下："],
  sending: ["Waiting for the answer…", "等待应答…"],
  answer: ["Answer", "应答"],
  answerMembers: ["Members of the answer", "应答成员"],
  answerFailed: ["No answer: {0}", "没有应答：{0}"],
  stopped: ["Stopped after {0} ms.", "{0} 毫秒后停止。"],
  took: ["{0} ms, {1} bytes", "{0} 毫秒，{1} 字节"],
  headers: ["Headers", "响应头"],
  empty: ["(empty)", "（空）"],
  cut: ["Only the first {0} bytes are shown.", "仅显示前 {0} 字节。"],
};

const LANGUAGES = ["en", "zh-CN"];
let current = navigator.language.startsWith("zh") ? 1 : 0;

export function word(key, ...args) {
  return WORDS[key][current].replace(/\{(\d)\}/g, (_, n) => args[n]);
}

export const language = () => LANGUAGES[current];

export function switchLanguage() {
  current = 1 - current;
}
