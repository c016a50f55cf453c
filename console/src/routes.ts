// SPDX-License-Identifier: Apache-2.0
// Every page, one row each. The server gives the index page to these paths alone (build/pack.ts reads this table).
// Parameters whose name ends in "id" or "Id" are numbers.
import type { ComponentType } from 'react';

import type { Pair } from './words';

export interface PageRow {
  path: string;
  title: Pair;
  page: () => Promise<{ default: ComponentType }>;
  /** Expression that the reader must hold for it; none: everybody who is logged in. */
  needs?: string;
  /** Without navigation and login. */
  bare?: boolean;
}

const CLUSTERS = 'CLUSTER:*:READ';
const TENANTS = 'CLUSTER:*:READ|CLUSTER:*:TENANT:*:READ';

/* Tabs of a page have addresses of their own. */
const cluster = () => import('./pages/ob/cluster');
const tenant = () => import('./pages/ob/tenant');
const nodes = () => import('./pages/nodes');
const tasks = () => import('./pages/tasks');

/* One row, one line: it begins with its path. */
// prettier-ignore
export const routes: PageRow[] = [
  { path: '/login', title: ['Log in', '登录'], page: () => import('./pages/login'), bare: true },
  { path: '/first-password', title: ['Set a password', '设置密码'], page: () => import('./pages/first-password'), bare: true },
  { path: '/', title: ['Overview', '总览'], page: () => import('./pages/home') },
  { path: '/cluster', title: ['Clusters', '集群'], page: () => import('./pages/ob/clusters'), needs: CLUSTERS },
  { path: '/cluster/new', title: ['Create a cluster', '新建集群'], page: () => import('./pages/ob/create'), needs: 'CLUSTER:*:CREATE' },
  { path: '/cluster/takeover', title: ['Take over a cluster', '接管集群'], page: () => import('./pages/ob/take-over'), needs: 'CLUSTER:*:CREATE' },
  { path: '/cluster/:id', title: ['Cluster', '集群'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/topology', title: ['Topology', '拓扑图'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/zone', title: ['Zones', 'Zone'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/server', title: ['Servers', 'OBServer'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/unit', title: ['Units', 'Unit'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/tenant', title: ['Tenants of a cluster', '集群的租户'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/parameter', title: ['Parameters of a cluster', '集群参数'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/kernel-parameter', title: ['Parameters of an instance', '实例参数'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/session', title: ['Sessions of a cluster', '集群会话'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/compaction', title: ['Compaction of a cluster', '集群合并'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/database', title: ['Databases of an instance', '实例的数据库'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/user', title: ['Users of an instance', '实例的用户'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:id/role', title: ['Roles of an instance', '实例的角色'], page: cluster, needs: CLUSTERS },
  { path: '/cluster/:clusterId/tenant/:tenantId', title: ['Tenant', '租户'], page: tenant, needs: TENANTS },
  { path: '/cluster/:clusterId/tenant/:tenantId/database', title: ['Databases of a tenant', '租户的数据库'], page: tenant, needs: TENANTS },
  { path: '/cluster/:clusterId/tenant/:tenantId/user', title: ['Users of a tenant', '租户的用户'], page: tenant, needs: TENANTS },
  { path: '/cluster/:clusterId/tenant/:tenantId/role', title: ['Roles of a tenant', '租户的角色'], page: tenant, needs: TENANTS },
  { path: '/cluster/:clusterId/tenant/:tenantId/parameter', title: ['Parameters of a tenant', '租户参数'], page: tenant, needs: TENANTS },
  { path: '/cluster/:clusterId/tenant/:tenantId/session', title: ['Sessions of a tenant', '租户会话'], page: tenant, needs: TENANTS },
  { path: '/cluster/:clusterId/tenant/:tenantId/compaction', title: ['Compaction of a tenant', '租户合并'], page: tenant, needs: TENANTS },
  { path: '/tenant', title: ['Tenants', '租户'], page: () => import('./pages/ob/tenants'), needs: TENANTS },
  { path: '/unit-spec', title: ['Unit specifications', 'Unit 规格'], page: () => import('./pages/ob/unit-specs'), needs: TENANTS },
  { path: '/host', title: ['Hosts', '主机'], page: () => import('./pages/hosts'), needs: 'HOST:*:READ' },
  { path: '/host/:id', title: ['Host', '主机'], page: () => import('./pages/host'), needs: 'HOST:*:READ' },
  { path: '/region', title: ['Regions', '区域'], page: () => import('./pages/regions'), needs: 'HOST:*:READ' },
  { path: '/idc', title: ['IDCs', '机房'], page: () => import('./pages/idcs'), needs: 'HOST:*:READ' },
  { path: '/host-type', title: ['Host types', '主机类型'], page: () => import('./pages/host-types'), needs: 'HOST:*:READ' },
  { path: '/package', title: ['Packages', '软件包'], page: () => import('./pages/packages'), needs: 'PACKAGE:*:READ' },
  { path: '/package/:id', title: ['Package', '软件包'], page: () => import('./pages/package'), needs: 'PACKAGE:*:READ' },
  { path: '/task', title: ['Tasks', '任务'], page: tasks, needs: 'TASK:*:READ' },
  { path: '/task/lock', title: ['Locks of tasks', '任务对象锁'], page: tasks, needs: 'TASK:*:READ' },
  { path: '/task/schedule', title: ['Schedules', '定时任务'], page: tasks, needs: 'TASK:*:READ' },
  { path: '/task/:id', title: ['Task', '任务'], page: () => import('./pages/task'), needs: 'TASK:*:READ' },
  { path: '/user', title: ['Users', '用户'], page: () => import('./pages/users'), needs: 'USER:*:READ' },
  { path: '/user/:id', title: ['User', '用户'], page: () => import('./pages/user'), needs: 'USER:*:READ' },
  { path: '/role', title: ['Roles', '角色'], page: () => import('./pages/roles'), needs: 'ROLE:*:READ' },
  { path: '/login-history', title: ['Login history', '登录历史'], page: () => import('./pages/login-history'), needs: 'USER:*:READ' },
  { path: '/address-rule', title: ['Address rules', '地址白名单'], page: () => import('./pages/address-rules'), needs: 'PROPERTY:*:READ' },
  { path: '/audit', title: ['Audit', '操作审计'], page: () => import('./pages/audit'), needs: 'AUDIT:*:READ' },
  { path: '/property', title: ['System parameters', '系统参数'], page: () => import('./pages/properties'), needs: 'PROPERTY:*:READ' },
  { path: '/ocp-node', title: ['OCP nodes', 'OCP 节点'], page: nodes, needs: 'PROPERTY:*:READ' },
  { path: '/ocp-node/leadership', title: ['Leaderships', '主节点变更记录'], page: nodes, needs: 'PROPERTY:*:READ' },
  { path: '/ocp-node/lease', title: ['Leases', '租约'], page: nodes, needs: 'PROPERTY:*:READ' },
  { path: '/profile', title: ['Profile', '个人设置'], page: () => import('./pages/profile') },
  { path: '/profile/keys', title: ['Access keys', '访问密钥'], page: () => import('./pages/access-keys'), needs: 'PROFILE:*:READ' },
  { path: '/profile/vault', title: ['Password box', '密码箱'], page: () => import('./pages/vault'), needs: 'PROFILE:*:READ' },
  { path: '/error/403', title: ['Not allowed', '没有权限'], page: () => import('./pages/error-403') },
  { path: '/error/404', title: ['Not found', '页面不存在'], page: () => import('./pages/error-404') },
];
