// SPDX-License-Identifier: Apache-2.0
import { Link } from 'react-router-dom';

import type { Row } from '../api/types';
import { PageHead } from '../parts/page-head';
import { type Column, ServerTable } from '../parts/server-table';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['Tasks', '任务'],
  id: ['Number', '任务 ID'],
  cluster: ['Cluster', '集群'],
  creator: ['Started by', '发起人'],
  started: ['Began', '开始时间'],
  finished: ['Ended', '结束时间'],
  running: ['Running', '运行中'],
  successful: ['Successful', '成功'],
  failed: ['Failed', '失败'],
} as const;

const PATH = '/api/v2/tasks/instances';

export default function Tasks() {
  const w = useWords(words);
  const columns: Column<Row<typeof PATH>>[] = [
    { title: w.id, dataIndex: 'id', sort: true },
    { title: w.name, dataIndex: 'name', render: (t) => <Link to={`/task/${t.id ?? 0}`}>{t.name}</Link> },
    { title: w.cluster, render: (t) => t.cluster?.name ?? '-' },
    { title: w.creator, render: (t) => t.creator?.name ?? '-' },
    { title: w.status, render: (t) => <StatusTag status={t.status} /> },
    { title: w.started, render: (t) => <Time at={t.startTime} /> },
    { title: w.finished, render: (t) => <Time at={t.finishTime} /> },
  ];
  const states = [
    ['RUNNING', w.running],
    ['SUCCESSFUL', w.successful],
    ['FAILED', w.failed],
  ] as const;
  const filters = [
    { name: 'name', label: w.name },
    { name: 'status', label: w.status, options: states.map(([value, label]) => ({ value, label })) },
  ];
  return (
    <>
      <PageHead title={w.title} />
      <ServerTable path={PATH} columns={columns} rowKey="id" label={w.title} filters={filters} everyMs={5000} />
    </>
  );
}
