// SPDX-License-Identifier: Apache-2.0
// Who leads, since when, and why.
import { Tag } from 'antd';

import { useGet } from '../../api/hooks';
import { DetailCard } from '../../parts/detail-card';
import { Time } from '../../parts/time';
import { fill, useWords } from '../../words';
import { Cause } from './cause';
import type { Cluster } from './model';
import { nodeWords } from './words';

const words = {
  ...nodeWords,
  nobody: ['Nobody leads', '当前没有主节点'],
  former: ['before: {0}', '此前为 {0}'],
  ocp: ['This OCP', '当前 OCP'],
  likeOcp: ['Speaks the API of OCP', '兼容的 OCP 版本'],
} as const;

function Leader({ of: { leader, last } }: { of: Cluster }) {
  const w = useWords(words);
  if (leader !== undefined) return leader.name;
  return (
    <>
      <Tag color="warning">{w.nobody}</Tag> {last === undefined ? null : fill(w.former, last.nodeName ?? '')}
    </>
  );
}

export function LeaderCard({ of }: { of: Cluster }) {
  const w = useWords(words);
  const info = useGet('/api/v2/info', {});
  const { last, leader } = of;
  // The one that was elected a moment ago has not claimed its epoch yet.
  const claimed = last !== undefined && (leader === undefined || leader.id === last.nodeId) ? last : undefined;
  return (
    <DetailCard
      title={w.leader}
      details={[
        { label: w.leader, value: <Leader of={of} /> },
        { label: w.since, value: <Time at={claimed?.claimTime} /> },
        { label: w.cause, value: <Cause of={claimed?.cause} /> },
        { label: w.epoch, value: claimed?.epoch },
        { label: w.term, value: claimed?.term },
        { label: w.generation, value: claimed?.generation },
        { label: w.ocp, value: info.data?.name },
        { label: w.likeOcp, value: info.data?.buildVersion },
      ]}
    />
  );
}
