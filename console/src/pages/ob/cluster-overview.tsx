// SPDX-License-Identifier: Apache-2.0
import { Card, Typography } from 'antd';

import type { Data, Row } from '../../api/types';
import { DetailCard } from '../../parts/detail-card';
import { type Column, ServerTable } from '../../parts/server-table';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { ServerList, ZoneList } from './cluster-parts';
import { Resources } from './resources';
import { ob } from './words';

const words = {
  ...ob,
  number: ['Cluster number', '集群 ID'],
  fullVersion: ['Kernel', '内核版本'],
  architecture: ['Architecture', '硬件架构'],
  type: ['Role', '集群类型'],
  PRIMARY: ['Primary', '主集群'],
  STANDBY: ['Standby', '备集群'],
  reached: ['Reached at', '访问地址'],
  direct: ['directly', '直连'],
  proxy: ['through an OBProxy', '通过 OBProxy'],
  rootServers: ['Root servers', 'RootServer'],
  regions: ['Regions', '区域数'],
  takenOver: ['Taken over', '接管时间'],
  by: ['By', '接管人'],
  seen: ['Last seen', '最近访问'],
  events: ['Events', '事件'],
  time: ['Time', '时间'],
  module: ['Module', '模块'],
  event: ['Event', '事件'],
  what: ['What', '详情'],
} as const;

const EVENTS = '/api/v2/ob/clusters/{id}/events';
type Event = Row<typeof EVENTS>;
type Cluster = Data<'get', '/api/v2/ob/clusters/{id}'>;

const valuesOf = (e: Event) =>
  Object.entries(e.values ?? {})
    .map(([name, value]) => `${name}=${String(value)}`)
    .concat(e.extraInfo ?? [])
    .join(', ');

function Events({ cluster }: { cluster: number }) {
  const w = useWords(words);
  const columns: Column<Event>[] = [
    { title: w.time, dataIndex: 'time', render: (e) => <Time at={e.time} /> },
    { title: w.module, dataIndex: 'module' },
    { title: w.event, dataIndex: 'event' },
    {
      title: w.what,
      width: 480,
      render: (e) => (
        <Typography.Paragraph style={{ margin: 0 }} ellipsis={{ rows: 2, expandable: true }}>
          {valuesOf(e)}
        </Typography.Paragraph>
      ),
    },
    { title: w.server, render: (e) => (e.rsSvrIp === undefined ? '-' : `${e.rsSvrIp}:${e.rsSvrPort ?? ''}`) },
  ];
  return (
    <Card size="small" title={w.events}>
      <ServerTable
        path={EVENTS}
        input={{ path: { id: cluster } }}
        columns={columns}
        rowKey={(e) => `${e.time ?? ''} ${e.module ?? ''} ${e.event ?? ''} ${valuesOf(e)}`}
        label={w.events}
        prefix="e."
        filters={[{ name: 'module', label: w.module }]}
      />
    </Card>
  );
}

function Facts({ of }: { of: Cluster }) {
  const w = useWords(words);
  const type = of.type === 'STANDBY' ? w.STANDBY : w.PRIMARY;
  const way = of.connectionMode === 'proxy' ? w.proxy : w.direct;
  const roots = (of.rootServers ?? []).map((r) => `${r.address ?? ''}${r.role === 'LEADER' ? ' *' : ''}`);
  return (
    <DetailCard
      title={w.basics}
      details={[
        { label: w.number, value: of.obClusterId },
        { label: w.type, value: type },
        { label: w.version, value: of.obVersion },
        { label: w.fullVersion, value: of.fullVersion },
        { label: w.architecture, value: of.architecture },
        { label: w.reached, value: `${of.address ?? ''}:${of.port ?? ''} (${way})` },
        { label: w.rootServers, value: roots.join(', ') },
        { label: w.regions, value: of.regionCount },
        { label: w.zones, value: of.zones?.length },
        { label: w.servers, value: of.serverCount },
        { label: w.tenants, value: of.tenantCount },
        { label: w.takenOver, value: <Time at={of.createTime} /> },
        { label: w.by, value: of.creator },
        { label: w.seen, value: <Time at={of.lastSeenTime} /> },
      ]}
    />
  );
}

export function ClusterOverview({ of }: { of: Cluster }) {
  const w = useWords(words);
  const id = of.id ?? 0;
  return (
    <>
      <Facts of={of} />
      <Resources cluster={id} />
      <Card size="small" title={w.zones} style={{ marginBottom: 16 }}>
        <ZoneList cluster={id} name={of.name ?? ''} />
      </Card>
      <Card size="small" title={w.servers} style={{ marginBottom: 16 }}>
        <ServerList cluster={id} />
      </Card>
      <Events cluster={id} />
    </>
  );
}
