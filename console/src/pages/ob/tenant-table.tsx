// SPDX-License-Identifier: Apache-2.0
// Tenants of one cluster, or of all.
import { Tag } from 'antd';
import { Link } from 'react-router-dom';

import type { Row } from '../../api/types';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  replicas: ['Zones', '副本分布'],
  MYSQL: ['MySQL', 'MySQL'],
  ORACLE: ['Oracle', 'Oracle'],
  NORMAL: ['Normal', '正常'],
  CREATING: ['Being made', '创建中'],
  MODIFYING: ['Being changed', '修改中'],
  DELETING: ['Being deleted', '删除中'],
} as const;

const ALL = '/api/v2/ob/tenants';
const OF_CLUSTER = '/api/v2/ob/clusters/{clusterId}/tenants';
type Tenant = Row<typeof ALL>;

/** The page of a tenant; that of an instance is the instance's. */
export const tenantAddress = (t: Pick<Tenant, 'id' | 'clusterId' | 'engine'>) =>
  t.engine === 'SEEKDB' ? `/cluster/${t.clusterId ?? 0}` : `/cluster/${t.clusterId ?? 0}/tenant/${t.id ?? 0}`;

export function LockTag({ locked, readonly }: { locked: boolean | undefined; readonly: boolean | undefined }) {
  const w = useWords(words);
  return (
    <>
      {locked === true ? <Tag color="error">{w.locked}</Tag> : null}
      {readonly === true ? <Tag color="warning">{w.readonly}</Tag> : null}
    </>
  );
}

function useFilters() {
  const w = useWords(words);
  const yesNo = [
    { value: 'true', label: w.yes },
    { value: 'false', label: w.no },
  ];
  const modes = ['MYSQL', 'ORACLE'] as const;
  const states = ['NORMAL', 'CREATING', 'MODIFYING', 'DELETING'] as const;
  return [
    { name: 'name', label: w.name },
    { name: 'mode', label: w.mode, options: modes.map((m) => ({ value: m, label: w[m] })) },
    { name: 'status', label: w.status, options: states.map((s) => ({ value: s, label: w[s] })) },
    { name: 'locked', label: w.locked, options: yesNo },
    { name: 'readonly', label: w.readonly, options: yesNo },
  ];
}

function useColumns(withCluster: boolean): Column<Tenant>[] {
  const w = useWords(words);
  const cluster: Column<Tenant> = {
    title: w.cluster,
    dataIndex: 'clusterName',
    sort: true,
    render: (t) => <Link to={`/cluster/${t.clusterId ?? 0}`}>{t.clusterName}</Link>,
  };
  return [
    { title: w.name, dataIndex: 'name', sort: true, render: (t) => <Link to={tenantAddress(t)}>{t.name}</Link> },
    ...(withCluster ? [cluster] : []),
    { title: w.mode, dataIndex: 'mode', sort: true, render: (t) => (t.mode === 'ORACLE' ? w.ORACLE : w.MYSQL) },
    {
      title: w.status,
      dataIndex: 'status',
      sort: true,
      render: (t) => (
        <>
          <StatusTag status={t.status} />
          <LockTag locked={t.locked} readonly={t.readonly} />
        </>
      ),
    },
    { title: w.replicas, render: (t) => (t.engine === 'SEEKDB' ? '-' : (t.locality ?? t.zoneList ?? '-')) },
    { title: w.primaryZone, render: (t) => (t.engine === 'SEEKDB' ? '-' : (t.primaryZone ?? '-')) },
    { title: w.description, dataIndex: 'description', ellipsis: true, width: 200 },
    { title: w.created, dataIndex: 'createTime', sort: true, render: (t) => <Time at={t.createTime} /> },
  ];
}

export function TenantTable({ cluster }: { cluster?: number }) {
  const w = useWords(words);
  const filters = useFilters();
  const columns = useColumns(cluster === undefined);
  const common = { columns, filters, rowKey: 'id' as const, label: w.tenants, everyMs: 10000 };
  return cluster === undefined ? (
    <ServerTable path={ALL} {...common} />
  ) : (
    <ServerTable path={OF_CLUSTER} input={{ path: { clusterId: cluster } }} {...common} />
  );
}
