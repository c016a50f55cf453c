// SPDX-License-Identifier: Apache-2.0
import { Tooltip } from 'antd';

import type { Row } from '../api/types';
import { PageHead } from '../parts/page-head';
import { type Column, ServerTable } from '../parts/server-table';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['Login history', '登录历史'],
  when: ['When', '时间'],
  from: ['From', '来源地址'],
  client: ['Client', '客户端'],
  method: ['How', '登录方式'],
  result: ['Result', '结果'],
  reason: ['Why not', '失败原因'],
  node: ['Node', '节点'],
  CONSOLE: ['Console', '控制台'],
  BASIC: ['Password with each request', 'HTTP Basic'],
  ACCESS_KEY: ['Access key', '访问密钥'],
  succeeded: ['Successful', '成功'],
  failed: ['Failed', '失败'],
} as const;

const PATH = '/api/v2/iam/loginHistories';
type Login = Row<typeof PATH>;

export default function LoginHistory() {
  const w = useWords(words);
  const how = (l: Login) => (l.method !== undefined && l.method in w ? w[l.method as keyof typeof w] : l.method);
  const columns: Column<Login>[] = [
    { title: w.when, dataIndex: 'loginTime', sort: true, render: (l) => <Time at={l.loginTime} /> },
    { title: w.user, dataIndex: 'username', sort: true },
    { title: w.from, dataIndex: 'clientIp', sort: true },
    { title: w.method, render: how },
    { title: w.result, render: (l) => <StatusTag status={l.result} /> },
    { title: w.reason, dataIndex: 'reason', width: 260 },
    {
      title: w.client,
      width: 220,
      ellipsis: true,
      render: (l) => <Tooltip title={l.userAgent}>{l.userAgent}</Tooltip>,
    },
    { title: w.node, dataIndex: 'node' },
  ];
  const options = (...values: [value: string, label: string][]) => values.map(([value, label]) => ({ value, label }));
  const filters = [
    { name: 'username', label: w.user },
    { name: 'clientIp', label: w.from },
    {
      name: 'method',
      label: w.method,
      options: options(['CONSOLE', w.CONSOLE], ['BASIC', w.BASIC], ['ACCESS_KEY', w.ACCESS_KEY]),
    },
    { name: 'result', label: w.result, options: options(['SUCCESS', w.succeeded], ['FAILED', w.failed]) },
  ];
  return (
    <>
      <PageHead title={w.title} />
      <ServerTable path={PATH} columns={columns} rowKey="id" label={w.title} filters={filters} />
    </>
  );
}
