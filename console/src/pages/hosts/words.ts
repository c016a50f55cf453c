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
} as const;
