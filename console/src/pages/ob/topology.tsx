// SPDX-License-Identifier: Apache-2.0
// Cluster, zones and servers as nested boxes. A server tells more while it is pointed at or has the focus.
import { Card, Flex, Popover, Tag } from 'antd';

import type { Data } from '../../api/types';
import { Empty } from '../../parts/empty';
import { Usage } from '../../parts/usage';
import { useWords } from '../../words';
import { addressOf, serverPart, StateTag, useServerStats, zonePart } from './cluster-parts';
import { AddZone, PartActions } from './operation-menus';
import { type Ask, useOperations } from './operations';
import { ob } from './words';

const words = {
  ...ob,
  rootService: ['root service', 'RootService'],
  ports: ['SQL port', 'SQL 端口'],
  tree: ['Zones and servers of the cluster', '集群的 Zone 与 OBServer'],
} as const;

type Cluster = Data<'get', '/api/v2/ob/clusters/{id}'>;
type Zone = NonNullable<Cluster['zones']>[number];
type Server = NonNullable<Zone['servers']>[number];
type Stats = ReturnType<typeof useServerStats>;

const EDGE: Record<string, string> = { RUNNING: '#197a2b', UNAVAILABLE: '#c5221f', STOPPED: '#c5221f' };
const edgeOf = (status: string | undefined) => EDGE[status ?? ''] ?? '#8f5a00';

function More({ of, stats }: { of: Server; stats: Stats }) {
  const w = useWords(words);
  const has = stats.get(addressOf(of));
  return (
    <div style={{ minWidth: 220 }}>
      <div>
        {w.ports}: {of.sqlPort ?? '-'}
      </div>
      <div>
        {w.version}: {of.version ?? '-'}
      </div>
      <div>
        {w.idc}: {of.idcName ?? '-'}
      </div>
      <div>
        {w.units}: {has?.unitCount ?? '-'}
      </div>
      <div>{w.cpu}</div>
      <Usage label={w.cpu} used={has?.cpuAssigned} total={has?.cpuTotal} cores width={200} />
      <div>{w.memory}</div>
      <Usage label={w.memory} used={has?.memoryAssignedByte} total={has?.memoryTotalByte} width={200} />
      <div>{w.dataDisk}</div>
      <Usage label={w.dataDisk} used={has?.dataDiskUsedByte} total={has?.dataDiskTotalByte} runsOut width={200} />
    </div>
  );
}

function ServerBox({ of, stats, ask }: { of: Server; stats: Stats; ask: Ask }) {
  const w = useWords(words);
  return (
    <li>
      <Popover
        content={<More of={of} stats={stats} />}
        title={addressOf(of)}
        trigger={['hover', 'focus']}
        placement="right"
      >
        <button type="button" className="topology-server" style={{ borderInlineStartColor: edgeOf(of.status) }}>
          <span>{addressOf(of)}</span>
          <StateTag status={of.status} />
          {of.withRootserver === true ? <Tag color="blue">{w.rootService}</Tag> : null}
        </button>
      </Popover>
      <div style={{ textAlign: 'end' }}>
        <PartActions of={serverPart(of)} ask={ask} />
      </div>
    </li>
  );
}

function ZoneBox({ of, stats, ask }: { of: Zone; stats: Stats; ask: Ask }) {
  return (
    <li style={{ flex: '1 1 240px', maxWidth: 420 }}>
      <Card
        size="small"
        title={
          <Flex gap={8} align="center">
            {of.name} <StateTag status={of.status} />
          </Flex>
        }
        extra={
          <>
            {of.regionName}
            <PartActions of={zonePart(of)} ask={ask} />
          </>
        }
        style={{ borderTop: `3px solid ${edgeOf(of.status)}` }}
      >
        <ul className="topology">
          {(of.servers ?? []).map((s) => (
            <ServerBox key={s.id} of={s} stats={stats} ask={ask} />
          ))}
        </ul>
      </Card>
    </li>
  );
}

export function Topology({ of }: { of: Cluster }) {
  const w = useWords(words);
  const stats = useServerStats(of.id ?? 0);
  const { ask, dialog } = useOperations(of.id ?? 0);
  const zones = of.zones ?? [];
  if (zones.length === 0) return <Empty />;
  return (
    <Card
      size="small"
      title={
        <Flex gap={8} align="center">
          {of.name} <StateTag status={of.status} />
        </Flex>
      }
      extra={of.engine === 'SEEKDB' ? null : <AddZone cluster={of.id ?? 0} name={of.name ?? ''} ask={ask} />}
    >
      <ul className="topology topology-zones" aria-label={w.tree}>
        {zones.map((z) => (
          <ZoneBox key={z.id} of={z} stats={stats} ask={ask} />
        ))}
      </ul>
      {dialog}
    </Card>
  );
}
