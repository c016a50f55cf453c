// SPDX-License-Identifier: Apache-2.0
// Which node looks at which managed clusters.
import { Tag } from 'antd';

import type { Row } from '../../api/types';
import { type Column, ServerTable } from '../../parts/server-table';
import { Time } from '../../parts/time';
import { type Pair, say, useLanguage, useWords } from '../../words';
import { nodeWords } from './words';

const words = {
  ...nodeWords,
  label: ['Leases of standing work', '常驻任务租约'],
  shard: ['Shard', '分片'],
  next: ['Goes to', '即将移交'],
  view: ['View', '视图'],
  clusters: ['Clusters', '集群数'],
  expires: ['Ends unless renewed', '到期时间'],
  help: [
    'Managed clusters are spread over 256 shards. The node that holds the lease of a shard watches its clusters; when the node dies, another gets it.',
    '受管集群分布在 256 个分片中，由持有分片租约的节点负责巡检；节点故障后，租约将转移到其他节点。',
  ],
} as const;

const STATES: Record<string, [colour: string, Pair]> = {
  HELD: ['success', ['Held', '持有']],
  MOVING: ['processing', ['Being handed over', '移交中']],
  EXPIRED: ['error', ['Expired: nobody does the work', '已过期，无节点负责']],
  FREE: ['default', ['Free', '空闲']],
};

const PATH = '/api/v2/ocp/leases';

function LeaseState({ of }: { of: string | undefined }) {
  const { language } = useLanguage();
  const [colour, pair] = STATES[of ?? ''] ?? ['default', [of ?? '-', of ?? '-']];
  return <Tag color={colour}>{say(pair, language)}</Tag>;
}

export function Leases() {
  const w = useWords(words);
  const columns: Column<Row<typeof PATH>>[] = [
    { title: w.shard, dataIndex: 'shard', sort: true },
    { title: w.status, render: (l) => <LeaseState of={l.status} /> },
    { title: w.node, render: (l) => l.nodeName ?? '-' },
    { title: w.next, render: (l) => l.nextNodeName ?? '-' },
    { title: w.clusters, dataIndex: 'clusters' },
    { title: w.view, dataIndex: 'view', sort: true },
    { title: w.expires, dataIndex: 'expireTime', sort: true, render: (l) => <Time at={l.expireTime} /> },
  ];
  return (
    <>
      <p className="quiet">{w.help}</p>
      <ServerTable path={PATH} columns={columns} rowKey="shard" label={w.label} everyMs={2000} />
    </>
  );
}
