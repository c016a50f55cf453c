// SPDX-License-Identifier: Apache-2.0
// Zones and servers of a cluster.
import { Button, Tag } from 'antd';
import { useMemo, useState } from 'react';

import { useGet } from '../../api/hooks';
import type { Row } from '../../api/types';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { Usage } from '../../parts/usage';
import { useMay } from '../../session';
import { useWords } from '../../words';
import { AddZone, type Part, PartActions } from './operation-menus';
import { useOperations } from './operations';
import { ob } from './words';

const words = {
  ...ob,
  rootServer: ['Root server', 'RootServer'],
  rootService: ['root service', 'RootService'],
  kernelState: ['Kernel says', '内核状态'],
  ports: ['Ports (RPC, SQL)', '端口（RPC、SQL）'],
  started: ['Serves since', '启动时间'],
  unitCount: ['Units', 'Unit 数'],
  removeChosen: ['Delete selected', '删除所选'],
} as const;

const ZONES = '/api/v2/ob/clusters/{id}/zones';
const SERVERS = '/api/v2/ob/clusters/{clusterId}/servers';
const STATS = '/api/v2/ob/clusters/{id}/serverStats';
const EVERY_MS = 10000;
type Zone = Row<typeof ZONES>;
type Server = Row<typeof SERVERS>;

/** What is shown of a state: running is fine here. */
export function StateTag({ status }: { status: string | undefined }) {
  return <StatusTag status={status} as={status === 'RUNNING' ? 'success' : undefined} />;
}

/** Capacity by "address:port". */
export function useServerStats(cluster: number) {
  const { data } = useGet(STATS, { path: { id: cluster } }, { everyMs: EVERY_MS });
  return useMemo(() => new Map((data?.contents ?? []).map((s) => [`${s.ip ?? ''}:${s.port ?? ''}`, s])), [data]);
}

export const addressOf = (s: Pick<Server, 'ip' | 'port'>) => `${s.ip ?? ''}:${s.port ?? ''}`;

type ZoneRow = Pick<Zone, 'clusterId' | 'name' | 'status' | 'idcName'>;
type ServerRow = Pick<Server, 'id' | 'clusterId' | 'ip' | 'port' | 'zoneName' | 'status' | 'idcName'>;

/** What operations need to know of a zone. */
export const zonePart = (z: ZoneRow): Part => ({
  cluster: z.clusterId ?? 0,
  name: z.name ?? '',
  zone: z.name ?? '',
  status: z.status,
  idc: z.idcName,
});

/** The same of a server. */
export const serverPart = (s: ServerRow): Part => ({
  cluster: s.clusterId ?? 0,
  name: addressOf(s),
  zone: s.zoneName ?? '',
  server: s.id,
  status: s.status,
  idc: s.idcName,
});

export function ZoneList({ cluster, name }: { cluster: number; name: string }) {
  const w = useWords(words);
  const { ask, dialog } = useOperations(cluster);
  const columns: Column<Zone>[] = [
    { title: w.name, dataIndex: 'name', sort: true },
    { title: w.region, dataIndex: 'regionName', sort: true },
    { title: w.idc, dataIndex: 'idcName' },
    { title: w.servers, dataIndex: 'serverCount', sort: true },
    { title: w.rootServer, render: (z) => z.rootServer?.address ?? '-' },
    { title: w.status, dataIndex: 'status', render: (z) => <StateTag status={z.status} /> },
    { title: w.kernelState, dataIndex: 'innerStatus' },
    { title: w.actions, fixed: 'right', render: (z) => <PartActions of={zonePart(z)} ask={ask} /> },
  ];
  return (
    <>
      <ServerTable
        path={ZONES}
        input={{ path: { id: cluster } }}
        paged={false}
        columns={columns}
        rowKey="id"
        label={w.zones}
        prefix="z."
        everyMs={EVERY_MS}
        toolbar={<AddZone cluster={cluster} name={name} ask={ask} />}
      />
      {dialog}
    </>
  );
}

export function ServerList({ cluster }: { cluster: number }) {
  const w = useWords(words);
  const stats = useServerStats(cluster);
  const may = useMay();
  const [chosen, setChosen] = useState<Server[]>([]);
  const { ask, dialog } = useOperations(cluster, () => setChosen([]));
  const columns: Column<Server>[] = [
    {
      title: w.address,
      dataIndex: 'ip',
      sort: true,
      render: (s) => (
        <>
          {s.ip} {s.withRootserver === true ? <Tag color="blue">{w.rootService}</Tag> : null}
        </>
      ),
    },
    { title: w.ports, render: (s) => `${s.port ?? '-'}, ${s.sqlPort ?? '-'}` },
    { title: w.zone, dataIndex: 'zoneName', sort: true },
    { title: w.status, dataIndex: 'status', sort: true, render: (s) => <StateTag status={s.status} /> },
    { title: w.kernelState, dataIndex: 'innerStatus' },
    { title: w.unitCount, render: (s) => stats.get(addressOf(s))?.unitCount ?? '-' },
    {
      title: w.cpu,
      render: (s) => {
        const has = stats.get(addressOf(s));
        return <Usage label={w.cpu} used={has?.cpuAssigned} total={has?.cpuTotal} cores />;
      },
    },
    {
      title: w.memory,
      render: (s) => {
        const has = stats.get(addressOf(s));
        return <Usage label={w.memory} used={has?.memoryAssignedByte} total={has?.memoryTotalByte} />;
      },
    },
    {
      title: w.dataDisk,
      render: (s) => {
        const has = stats.get(addressOf(s));
        return <Usage label={w.dataDisk} used={has?.dataDiskUsedByte} total={has?.dataDiskTotalByte} runsOut />;
      },
    },
    { title: w.version, dataIndex: 'version' },
    { title: w.started, render: (s) => <Time at={s.startTime} /> },
    { title: w.actions, fixed: 'right', render: (s) => <PartActions of={serverPart(s)} ask={ask} /> },
  ];
  const remove = () =>
    ask({
      operation: 'deleteServers',
      name: chosen.map(addressOf).join(', '),
      servers: chosen.map((s) => s.id ?? 0),
    });
  const changes = may(`CLUSTER:${cluster}:UPDATE`);
  return (
    <>
      <ServerTable
        path={SERVERS}
        input={{ path: { clusterId: cluster } }}
        paged={false}
        find={(s) => [s.ip, s.port, s.zoneName, s.regionName, s.idcName].join(' ')}
        columns={columns}
        rowKey="id"
        label={w.servers}
        prefix="s."
        everyMs={EVERY_MS}
        selection={changes ? { rows: chosen, nameOf: addressOf, onChange: setChosen } : undefined}
        toolbar={
          changes ? (
            <Button danger disabled={chosen.length === 0} onClick={remove}>
              {w.removeChosen}
            </Button>
          ) : undefined
        }
      />
      {dialog}
    </>
  );
}
