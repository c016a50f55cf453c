// SPDX-License-Identifier: Apache-2.0
import type { Data, Row } from '../../api/types';
import { bytes, rounded } from '../../parts/size';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { fill, useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  pool: ['Resource pool', '资源池'],
  to: ['Moves to', '迁移至'],
  from: ['Comes from', '迁移自'],
  serverIp: ['Address of the server', 'OBServer 地址'],
  iops: ['IOPS', 'IOPS'],
  used: ['{0} used', '已用 {0}'],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/units';
type Unit = Row<typeof PATH>;

const range = (least: number | undefined, most: number | undefined, text: (n: number | undefined) => string) =>
  least === most ? text(most) : `${text(least)} - ${text(most)}`;

export function UnitList({ of }: { of: Data<'get', '/api/v2/ob/clusters/{id}'> }) {
  const w = useWords(words);
  const moving = (u: Unit) =>
    u.migrateOppositeSvrIp === undefined
      ? '-'
      : `${u.migrateType === 'MIGRATE_IN' ? w.from : w.to} ${u.migrateOppositeSvrIp}:${u.migrateOppositeSvrPort ?? ''}`;
  const columns: Column<Unit>[] = [
    { title: w.unit, dataIndex: 'obUnitId', sort: true },
    { title: w.tenant, dataIndex: 'tenantName', sort: true, render: (u) => u.tenantName ?? '-' },
    { title: w.server, dataIndex: 'svrIp', sort: true, render: (u) => `${u.svrIp ?? ''}:${u.svrPort ?? ''}` },
    { title: w.zone, dataIndex: 'zone', sort: true },
    { title: w.status, render: (u) => <StatusTag status={u.status} /> },
    {
      title: w.cpu,
      render: (u) => fill(w.cores, range(u.unitConfig?.minCpuCoreCount, u.unitConfig?.maxCpuCoreCount, rounded)),
    },
    {
      title: w.memory,
      render: (u) => range(u.unitConfig?.minMemoryByte, u.unitConfig?.maxMemoryByte, bytes),
    },
    {
      title: w.logDisk,
      render: (u) => `${bytes(u.unitConfig?.logDiskSizeByte)}, ${fill(w.used, bytes(u.logDiskUsedByte))}`,
    },
    { title: w.dataDisk, render: (u) => fill(w.used, bytes(u.dataDiskUsedByte)) },
    { title: w.pool, dataIndex: 'resourcePoolId' },
    { title: w.to, render: moving },
  ];
  const tenants = (of.tenants ?? []).map((t) => ({ value: String(t.id), label: t.name ?? '' }));
  return (
    <ServerTable
      path={PATH}
      input={{ path: { id: of.id ?? 0 } }}
      paged={false}
      find={(u) => [u.tenantName, u.svrIp, u.zone, u.status, u.obUnitId].join(' ')}
      columns={columns}
      rowKey={(u) => `${u.obUnitId ?? ''} ${u.svrIp ?? ''} ${u.svrPort ?? ''}`}
      label={w.units}
      prefix="u."
      everyMs={10000}
      filters={[
        { name: 'tenantId', label: w.tenant, options: tenants },
        { name: 'serverIp', label: w.serverIp },
      ]}
    />
  );
}
