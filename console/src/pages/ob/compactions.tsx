// SPDX-License-Identifier: Apache-2.0
// How far major compactions are, of a cluster or of one tenant of it, and starting one.
import { Button, Tag } from 'antd';

import type { Row } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { IfMay } from '../../parts/permission-guard';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  start: ['Start a compaction', '发起合并'],
  startTitle: ['Start a major compaction?', '发起合并？'],
  startText: [
    'It reads and writes all data that has changed; statements may be slower until it ends.',
    '合并会读写所有变更数据，期间 SQL 可能变慢。',
  ],
  started: ['The compaction was started', '合并已发起'],
  frozen: ['Frozen', '冻结时间'],
  began: ['Began', '开始时间'],
  ended: ['Ended', '最近完成时间'],
  failed: ['stopped with an error', '合并出错'],
  suspended: ['suspended', '已暂停'],
  remark: ['Remark', '备注'],
} as const;

const OF_CLUSTER = '/api/v2/ob/clusters/{id}/compactions';
const OF_TENANT = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/compactions';
type Compaction = Row<typeof OF_CLUSTER>;

function StartButton({ cluster, tenant }: { cluster: number; tenant?: number }) {
  const w = useWords(words);
  const dialog = useDialog();
  const options = { done: w.started, quiet: true, refreshes: [OF_CLUSTER, OF_TENANT], then: dialog.hide };
  const all = useAction('post', OF_CLUSTER, options);
  const one = useAction('post', OF_TENANT, options);
  const used = tenant === undefined ? all : one;
  const needs = tenant === undefined ? `CLUSTER:${cluster}:UPDATE` : `CLUSTER:${cluster}:TENANT:${tenant}:UPDATE`;
  const run = () =>
    tenant === undefined ? all.run({ path: { id: cluster } }) : one.run({ path: { id: cluster, tenantId: tenant } });
  return (
    <IfMay needs={needs}>
      <Button onClick={() => dialog.show('start')}>{w.start}</Button>
      <ConfirmTyped
        open={dialog.is('start')}
        title={w.startTitle}
        word="confirm"
        running={used.running}
        error={used.error}
        onConfirm={run}
        onClose={() => {
          used.reset();
          dialog.hide();
        }}
      >
        {w.startText}
      </ConfirmTyped>
    </IfMay>
  );
}

export function Compactions({ cluster, tenant }: { cluster: number; tenant?: number }) {
  const w = useWords(words);
  const columns: Column<Compaction>[] = [
    { title: w.tenant, dataIndex: 'tenantName', sort: true },
    {
      title: w.status,
      dataIndex: 'status',
      sort: true,
      render: (c) => (
        <>
          <StatusTag status={c.status} />
          {c.error === true ? <Tag color="error">{w.failed}</Tag> : null}
          {c.suspended === true ? <Tag color="warning">{w.suspended}</Tag> : null}
        </>
      ),
    },
    { title: w.frozen, dataIndex: 'frozenTime', sort: true, render: (c) => <Time at={c.frozenTime} /> },
    { title: w.began, dataIndex: 'startTime', sort: true, render: (c) => <Time at={c.startTime} /> },
    { title: w.ended, dataIndex: 'lastFinishTime', sort: true, render: (c) => <Time at={c.lastFinishTime} /> },
    { title: w.remark, dataIndex: 'info', render: (c) => c.info ?? '-' },
  ];
  const common = {
    paged: false,
    columns,
    rowKey: 'tenantId' as const,
    label: w.compaction,
    everyMs: 5000,
    toolbar: <StartButton cluster={cluster} tenant={tenant} />,
  };
  return tenant === undefined ? (
    <ServerTable path={OF_CLUSTER} input={{ path: { id: cluster } }} find={(c) => c.tenantName ?? ''} {...common} />
  ) : (
    <ServerTable path={OF_TENANT} input={{ path: { id: cluster, tenantId: tenant } }} {...common} />
  );
}
