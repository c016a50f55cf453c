// SPDX-License-Identifier: Apache-2.0
// Tasks, newest first: all of them, or those of one object.
import { Link } from 'react-router-dom';

import type { Query, Row } from '../../api/types';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { between, isOver, taskStateOf } from './model';
import { taskWords } from './words';

const words = {
  ...taskWords,
  running: ['Running', '运行中'],
  successful: ['Successful', '成功'],
  failed: ['Failed', '失败'],
  progress: ['Steps done', '进度'],
  clusterName: ['Name of the cluster', '集群名称'],
  kind: ['Kind', '任务类型'],
  MANUAL: ['Started by a person', '手动任务'],
  SCHEDULED: ['By the clock', '定时任务'],
  SYS_ONECE: ['Of the system, once', '系统一次性任务'],
  SYS_SCHEDULED: ['Of the system, by the clock', '系统定时任务'],
} as const;

const PATH = '/api/v2/tasks/instances';
const STATES = [
  ['RUNNING', 'running'],
  ['SUCCESSFUL', 'successful'],
  ['FAILED', 'failed'],
] as const;
const KINDS = ['MANUAL', 'SCHEDULED', 'SYS_ONECE', 'SYS_SCHEDULED'] as const;
type Task = Row<typeof PATH>;

/** `of`: only those of this host, cluster... */
export function TaskTable({ of }: { of?: Query<typeof PATH> }) {
  const w = useWords(words);
  const columns: Column<Task>[] = [
    { title: w.id, dataIndex: 'id', sort: true },
    {
      title: w.name,
      dataIndex: 'name',
      render: (t) => (
        <Link to={`/task/${t.id ?? 0}`} className="breaks">
          {t.name}
        </Link>
      ),
    },
    ...(of === undefined ? [{ title: w.cluster, render: (t: Task) => t.cluster?.name ?? '-' }] : []),
    { title: w.creator, render: (t) => t.creator?.name ?? '-' },
    { title: w.status, render: (t) => <StatusTag status={taskStateOf(t)} /> },
    { title: w.progress, render: (t) => `${t.subtasks?.filter(isOver).length ?? 0} / ${t.subtasks?.length ?? 0}` },
    { title: w.started, render: (t) => <Time at={t.startTime} /> },
    { title: w.took, render: (t) => between(t.startTime, t.finishTime) },
  ];
  const filters = [
    { name: 'name', label: w.name },
    ...(of === undefined ? [{ name: 'clusterName', label: w.clusterName }] : []),
    { name: 'status', label: w.status, options: STATES.map(([value, name]) => ({ value, label: w[name] })) },
    { name: 'type', label: w.kind, options: KINDS.map((value) => ({ value, label: w[value] })) },
  ];
  return (
    <ServerTable
      path={PATH}
      input={{ query: of }}
      columns={columns}
      rowKey="id"
      label={w.title}
      filters={filters}
      everyMs={3000}
    />
  );
}
