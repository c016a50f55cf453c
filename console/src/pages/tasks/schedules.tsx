// SPDX-License-Identifier: Apache-2.0
// Work that is done by the clock.
import type { Row } from '../../api/types';
import { RowActions } from '../../parts/row-actions';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useWords } from '../../words';
import { taskWords } from './words';

const words = {
  ...taskWords,
  schedules: ['Schedules', '定时任务'],
  what: ['Work', '工作内容'],
  when: ['When', '执行计划'],
  always: ['All the time', '持续执行'],
  next: ['Due next', '下次执行时间'],
  runs: ['Runs', '执行次数'],
  last: ['Last began', '上次执行时间'],
  run: ['Run now', '立即执行'],
  begun: ['It is due now', '即将执行'],
} as const;

const PATH = '/api/v2/tasks/schedules';
type Schedule = Row<typeof PATH>;

export function Schedules() {
  const w = useWords(words);
  const run = useAction('post', '/api/v2/tasks/schedules/{name}/run', { done: w.begun, refreshes: [PATH] });
  const columns: Column<Schedule>[] = [
    {
      title: w.what,
      dataIndex: 'name',
      sort: true,
      render: (s) => (
        <div style={{ maxWidth: 420 }}>
          <div className="breaks">{s.title || s.name}</div>
          <div className="quiet">{s.description}</div>
        </div>
      ),
    },
    { title: w.when, render: (s) => (s.continuous === true ? w.always : <code>{s.cron}</code>) },
    {
      title: w.status,
      dataIndex: 'status',
      sort: true,
      render: (s) => (
        <>
          <StatusTag status={s.status} />
          <div className="quiet narrow breaks">{s.error}</div>
        </>
      ),
    },
    { title: w.runs, dataIndex: 'runs', sort: true, render: (s) => (s.continuous === true ? '-' : s.runs) },
    { title: w.last, dataIndex: 'startTime', sort: true, render: (s) => <Time at={s.startTime} /> },
    { title: w.next, dataIndex: 'nextTime', sort: true, render: (s) => <Time at={s.nextTime} /> },
    {
      title: w.actions,
      render: (s) => (
        <RowActions
          actions={[
            {
              label: w.run,
              needs: 'TASK:*:UPDATE',
              hidden: s.continuous === true,
              disabled: s.status === 'RUNNING',
              onClick: () => run.run({ path: { name: s.name ?? '' } }),
            },
          ]}
        />
      ),
    },
  ];
  return (
    <ServerTable
      path={PATH}
      columns={columns}
      rowKey="name"
      label={w.schedules}
      paged={false}
      find={(s) => `${s.name ?? ''} ${s.title ?? ''} ${s.description ?? ''}`}
      everyMs={5000}
    />
  );
}
