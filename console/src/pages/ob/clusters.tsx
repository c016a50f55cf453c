// SPDX-License-Identifier: Apache-2.0
import { Button, Space, Tag } from 'antd';
import { useMemo } from 'react';
import { Link, useNavigate } from 'react-router-dom';

import { useGet } from '../../api/hooks';
import type { Row } from '../../api/types';
import { Empty } from '../../parts/empty';
import { PageHead } from '../../parts/page-head';
import { IfMay } from '../../parts/permission-guard';
import { type Column, ServerTable } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { Usage } from '../../parts/usage';
import { useWords } from '../../words';
import { AwayTag } from './away';
import { ob } from './words';

const words = {
  ...ob,
  takeOver: ['Take over a cluster', '接管集群'],
  createOne: ['Create a cluster', '新建集群'],
  noneYet: ['No cluster is managed here yet', '尚未管理任何集群'],
  RUNNING: ['Running', '运行中'],
  TAKINGOVER: ['Being taken over', '接管中'],
  MOVINGOUT: ['Being moved out', '迁出中'],
} as const;

const PATH = '/api/v2/ob/clusters';
const STATS = '/api/v2/ob/clusters/stats';
const EVERY_MS = 10000;
type Cluster = Row<typeof PATH>;

export function ClusterLink({ of }: { of: Pick<Cluster, 'id' | 'name' | 'engine'> }) {
  const w = useWords(words);
  return (
    <Space size={8}>
      <Link to={`/cluster/${of.id ?? 0}`}>{of.name}</Link>
      {of.engine === 'SEEKDB' ? <Tag>{w.instance}</Tag> : null}
    </Space>
  );
}

/** Capacity by the number of the cluster: one question for all rows. */
function useStats() {
  const { data } = useGet(STATS, {}, { everyMs: EVERY_MS });
  return useMemo(() => new Map((data?.contents ?? []).map((s) => [s.clusterId, s])), [data]);
}

export default function Clusters() {
  const w = useWords(words);
  const stats = useStats();
  const navigate = useNavigate();
  const columns: Column<Cluster>[] = [
    { title: w.name, dataIndex: 'name', sort: true, render: (c) => <ClusterLink of={c} /> },
    { title: w.version, dataIndex: 'obVersion' },
    {
      title: w.status,
      dataIndex: 'status',
      sort: true,
      render: (c) => (
        <>
          <StatusTag status={c.status} as={c.status === 'RUNNING' ? 'success' : undefined} />
          <AwayTag of={c} />
        </>
      ),
    },
    { title: w.servers, render: (c) => c.serverCount },
    { title: w.tenants, render: (c) => c.tenantCount },
    {
      title: w.cpu,
      render: (c) => {
        const s = stats.get(c.id);
        return <Usage label={w.cpu} used={s?.cpuAssigned} total={s?.cpuTotal} cores />;
      },
    },
    {
      title: w.memory,
      render: (c) => {
        const s = stats.get(c.id);
        return <Usage label={w.memory} used={s?.memoryAssignedByte} total={s?.memoryTotalByte} />;
      },
    },
    {
      title: w.dataDisk,
      render: (c) => {
        const s = stats.get(c.id);
        return <Usage label={w.dataDisk} used={s?.dataDiskUsedByte} total={s?.dataDiskTotalByte} runsOut />;
      },
    },
    { title: w.created, dataIndex: 'createTime', sort: true, render: (c) => <Time at={c.createTime} /> },
  ];
  const states = ['RUNNING', 'TAKINGOVER', 'MOVINGOUT'] as const;
  const takeOver = (
    <IfMay needs="CLUSTER:*:CREATE">
      <Button onClick={() => void navigate('/cluster/takeover')}>{w.takeOver}</Button>
      <Button type="primary" onClick={() => void navigate('/cluster/new')}>
        {w.createOne}
      </Button>
    </IfMay>
  );
  return (
    <>
      <PageHead title={w.clusters}>{takeOver}</PageHead>
      <ServerTable
        path={PATH}
        columns={columns}
        rowKey="id"
        label={w.clusters}
        everyMs={EVERY_MS}
        empty={<Empty text={w.noneYet} />}
        filters={[
          { name: 'name', label: w.name },
          { name: 'status', label: w.status, options: states.map((s) => ({ value: s, label: w[s] })) },
        ]}
      />
    </>
  );
}
