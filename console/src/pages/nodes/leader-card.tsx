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
  claiming: ['was elected, may not write yet', '已当选，尚不能写入'],
  survives: ['Losses survived', '可容忍的故障节点数'],
  none: ['0: add nodes or a witness', '0，请添加节点或见证节点'],
  changing: ['its members are being changed', '成员变更中'],
  ocp: ['This OCP', '当前 OCP'],
  likeOcp: ['Speaks the API of OCP', '兼容的 OCP 版本'],
} as const;

function Leader({ of: { leader, last, view } }: { of: Cluster }) {
  const w = useWords(words);
  if (leader === undefined)
    return (
      <>
        <Tag color="warning">{w.nobody}</Tag> {last === undefined ? null : fill(w.former, last.nodeName ?? '')}
      </>
    );
  return (
    <>
      {leader} {view?.active === false ? <Tag color="warning">{w.claiming}</Tag> : null}
    </>
  );
}

function Survives({ of: { tolerates, changing } }: { of: Cluster }) {
  const w = useWords(words);
  if (tolerates === undefined) return '-';
  return (
    <>
      {tolerates === 0 ? w.none : tolerates} {changing ? <Tag color="processing">{w.changing}</Tag> : null}
    </>
  );
}

export function LeaderCard({ of }: { of: Cluster }) {
  const w = useWords(words);
  const info = useGet('/api/v2/info', {});
  const { last, view, leader } = of;
  // What is known of a leadership that is claimed: from the leader itself, and else from MetaDB.
  const claimed = leader !== undefined && leader === last?.nodeName ? last : undefined;
  return (
    <DetailCard
      title={w.leader}
      details={[
        { label: w.leader, value: <Leader of={of} /> },
        { label: w.since, value: <Time at={view?.activeTime ?? claimed?.claimTime} /> },
        { label: w.cause, value: <Cause of={claimed?.cause} /> },
        { label: w.epoch, value: view?.epoch ?? claimed?.epoch },
        { label: w.term, value: view?.term ?? claimed?.term },
        { label: w.generation, value: view?.generation ?? claimed?.generation },
        { label: w.survives, value: <Survives of={of} /> },
        { label: w.ocp, value: info.data?.name },
        { label: w.likeOcp, value: info.data?.buildVersion },
      ]}
    />
  );
}
