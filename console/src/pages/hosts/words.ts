// SPDX-License-Identifier: Apache-2.0
// Words of the pages of hosts.
import { common } from '../../words.common';

export const hostWords = {
  ...common,
  title: ['Hosts', '主机'],
  host: ['Host', '主机'],
  address: ['Address', 'IP 地址'],
  sshPort: ['SSH port', 'SSH 端口'],
  kind: ['Kind', '主机种类'],
  idc: ['IDC', '机房'],
  region: ['Region', '区域'],
  hostType: ['Host type', '主机类型'],
  credential: ['Credential', '登录凭据'],
  alias: ['Alias', '别名'],
  agent: ['Agent', 'Agent'],
  services: ['Used by', '使用者'],
  ports: ['Ports', '端口'],
} as const;

export const agentWords = {
  ...hostWords,
  stopText: [
    'Nothing can be done on a host through OCP while its agent is stopped. Databases that run there go on.',
    'Agent 停止期间，OCP 无法在主机上执行操作；主机上的数据库不受影响。',
  ],
  restartText: ['Databases that run there go on.', '主机上的数据库不受影响。'],
  upgradeText: [
    'An agent gets the program of this version of OCP, without SSH; if that does not answer, the former one is back. Databases that run there go on.',
    '将 Agent 升级为当前 OCP 版本的程序（不使用 SSH）；若新程序无应答则自动恢复原程序，主机上的数据库不受影响。',
  ],
  begun: ['It has begun', '任务已开始'],
} as const;
