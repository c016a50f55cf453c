// SPDX-License-Identifier: Apache-2.0
// Words of the pages of software packages.
import { common } from '../../words.common';

export const packageWords = {
  ...common,
  title: ['Packages', '软件包'],
  file: ['File', '文件'],
  version: ['Version', '版本'],
  build: ['Build', '构建号'],
  system: ['Operating system', '操作系统'],
  architecture: ['Architecture', '硬件架构'],
  size: ['Size', '大小'],
  creator: ['Uploaded by', '上传人'],
  uploaded: ['Uploaded', '上传时间'],
  inUse: ['in use', '使用中'],
  downloadIt: ['Download', '下载'],
  OB_SERVER_INSTALL_PACKAGE: ['OceanBase server', 'OceanBase 安装包'],
  OCP_AGENT_INSTALL_PACKAGE: ['OCP agent', 'OCP Agent 安装包'],
  OBPROXY_INSTALL_PACKAGE: ['OBProxy', 'OBProxy 安装包'],
  OB_BACKUP_AGENT_INSTALL_PACKAGE: ['Backup agent', '备份工具安装包'],
  OTHERS_RPM: ['Other', '其他'],
} as const;

export const TYPES = [
  'OB_SERVER_INSTALL_PACKAGE',
  'OCP_AGENT_INSTALL_PACKAGE',
  'OBPROXY_INSTALL_PACKAGE',
  'OB_BACKUP_AGENT_INSTALL_PACKAGE',
  'OTHERS_RPM',
] as const;
