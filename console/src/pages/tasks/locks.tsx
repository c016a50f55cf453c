// SPDX-License-Identifier: Apache-2.0
// What tasks hold until they are finished, so that no other task changes it meanwhile.
import { Link } from 'react-router-dom';

import type { Row } from '../../api/types';
import { Empty } from '../../parts/empty';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { taskWords } from './words';

const words = {
  ...taskWords,
  object: ['Object', '对象'],
  task: ['Held by', '持有任务'],
  since: ['Since', '持有时间'],
  host: ['Host', '主机'],
  obcluster: ['Cluster', '集群'],
  help: [
    'A task locks what it changes while it runs. Another one that wants the same is refused and told who holds it. A failed task holds no locks, unless the outcome of a step is unknown; a retry takes them again.',
    '任务运行期间会锁定其变更的对象，其他任务变更同一对象时会被拒绝并提示持有者。失败的任务不保留对象锁（有子任务结果未知时除外），重试时会重新加锁。',
  ],
  free: ['Nothing is locked', '没有被锁定的对象'],
} as const;

const PATH = '/api/v2/tasks/locks';
type Lock = Row<typeof PATH>;

/* Kinds of objects that have a page. */
const PAGES: Record<string, string> = { host: '/host', obcluster: '/cluster' };

function LockedObject({ of: { kind = '', id = 0 } }: { of: Lock }) {
  const w = useWords(words);
  const name = `${(w as Record<string, string>)[kind] ?? kind} ${id}`;
  const page = PAGES[kind];
  return page === undefined ? name : <Link to={`${page}/${id}`}>{name}</Link>;
}

export function Locks() {
  const w = useWords(words);
  const columns: Column<Lock>[] = [
    { title: w.object, render: (l) => <LockedObject of={l} /> },
    {
      title: w.task,
      dataIndex: 'taskId',
      sort: true,
      render: (l) => <Link to={`/task/${l.taskId ?? 0}`}>{l.taskName}</Link>,
    },
    { title: w.status, render: (l) => <StatusTag status={l.taskStatus} /> },
    { title: w.creator, dataIndex: 'creator' },
    { title: w.since, dataIndex: 'lockTime', sort: true, render: (l) => <Time at={l.lockTime} /> },
  ];
  return (
    <>
      <p className="quiet">{w.help}</p>
      <ServerTable
        path={PATH}
        columns={columns}
        rowKey={(l) => `${l.kind ?? ''} ${l.id ?? 0}`}
        label={w.locks}
        everyMs={3000}
        empty={<Empty text={w.free} />}
      />
    </>
  );
}
