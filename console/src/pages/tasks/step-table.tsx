// SPDX-License-Identifier: Apache-2.0
// The steps of a task as a list.
import { Button, Table } from 'antd';

import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { between, type Step, stateOf } from './model';
import { taskWords } from './words';

export function StepTable({ steps, onOpen }: { steps: Step[]; onOpen: (step: Step) => void }) {
  const w = useWords(taskWords);
  return (
    <Table<Step>
      aria-label={w.steps}
      size="middle"
      rowKey="id"
      pagination={false}
      scroll={{ x: 'max-content' }}
      dataSource={steps}
      columns={[
        { title: '#', dataIndex: 'seriesId' },
        { title: w.name, render: (_, s) => <span className="breaks">{s.name}</span> },
        { title: w.status, render: (_, s) => <StatusTag status={stateOf(s)} /> },
        { title: w.executor, render: (_, s) => (s.startTime === undefined ? '-' : s.executor) },
        { title: w.runs, dataIndex: 'runTime' },
        { title: w.started, render: (_, s) => <Time at={s.startTime} /> },
        { title: w.took, render: (_, s) => between(s.startTime, s.finishTime) },
        {
          title: w.actions,
          fixed: 'right',
          render: (_, s) => (
            <Button type="link" size="small" onClick={() => onOpen(s)}>
              {w.log}
            </Button>
          ),
        },
      ]}
    />
  );
}
