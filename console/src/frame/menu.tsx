// SPDX-License-Identifier: Apache-2.0
// The navigation at the left: paths of the route table, in groups.
import {
  AppstoreOutlined,
  ClusterOutlined,
  HomeOutlined,
  LaptopOutlined,
  SafetyOutlined,
  SettingOutlined,
  UnorderedListOutlined,
} from '@ant-design/icons';
import type { ReactNode } from 'react';

import type { Pair } from '../words';

export interface MenuGroup {
  key: string;
  title: Pair;
  icon: ReactNode;
  /** Paths; one alone makes a plain entry. */
  paths: string[];
}

export const menu: MenuGroup[] = [
  { key: 'home', title: ['Overview', '总览'], icon: <HomeOutlined />, paths: ['/'] },
  {
    key: 'database',
    title: ['Databases', '数据库'],
    icon: <ClusterOutlined />,
    paths: ['/cluster', '/tenant', '/unit-spec'],
  },
  {
    key: 'compute',
    title: ['Machines', '主机资源'],
    icon: <LaptopOutlined />,
    paths: ['/host', '/region', '/idc', '/host-type'],
  },
  { key: 'package', title: ['Packages', '软件包'], icon: <AppstoreOutlined />, paths: ['/package'] },
  { key: 'task', title: ['Tasks', '任务'], icon: <UnorderedListOutlined />, paths: ['/task'] },
  {
    key: 'security',
    title: ['Security', '安全'],
    icon: <SafetyOutlined />,
    paths: ['/user', '/role', '/login-history', '/address-rule', '/audit'],
  },
  { key: 'system', title: ['System', '系统管理'], icon: <SettingOutlined />, paths: ['/property', '/ocp-node'] },
];
