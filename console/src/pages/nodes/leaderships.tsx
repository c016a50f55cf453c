// SPDX-License-Identifier: Apache-2.0
// Who led, and why that changed.
import type { Row } from '../../api/types';
import { type Column, ServerTable } from '../../parts/server-table';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { Cause } from './cause';
import { nodeWords } from './words';

const words = { ...nodeWords, label: ['Leaderships', '主节点变更记录'] } as const;

const PATH = '/api/v2/ocp/leaderships';

export function Leaderships() {
  const w = useWords(words);
  const columns: Column<Row<typeof PATH>>[] = [
    { title: w.epoch, dataIndex: 'epoch', sort: true },
    { title: w.leader, dataIndex: 'nodeName' },
    { title: w.cause, render: (l) => <Cause of={l.cause} /> },
    { title: w.since, dataIndex: 'claimTime', sort: true, render: (l) => <Time at={l.claimTime} /> },
    { title: w.term, dataIndex: 'term' },
    { title: w.generation, dataIndex: 'generation' },
  ];
  return <ServerTable path={PATH} columns={columns} rowKey="epoch" label={w.label} everyMs={2000} />;
}
