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

/* One row, one line: it begins with its path. */
export const routes: PageRow[] = [
  { path: '/login', title: ['Log in', '登录'], page: () => import('./pages/login'), bare: true },
  { path: '/first-password', title: ['Set a password', '设置密码'], page: () => import('./pages/first-password'), bare: true },
  { path: '/', title: ['Home', '首页'], page: () => import('./pages/home') },
  { path: '/host', title: ['Hosts', '主机'], page: () => import('./pages/hosts'), needs: 'HOST:*:READ' },
  { path: '/error/403', title: ['Not allowed', '没有权限'], page: () => import('./pages/error-403') },
  { path: '/error/404', title: ['Not found', '页面不存在'], page: () => import('./pages/error-404') },
];
