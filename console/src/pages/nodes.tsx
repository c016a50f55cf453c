// SPDX-License-Identifier: Apache-2.0
import { Tag } from 'antd';

import { useGet } from '../api/hooks';
import type { Row } from '../api/types';
import { DetailCard } from '../parts/detail-card';
import { PageHead } from '../parts/page-head';
import { type Column, ServerTable } from '../parts/server-table';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['OCP nodes', 'OCP 节点'],
  zone: ['Zone', 'Zone'],
  idc: ['IDC', '机房'],
  address: ['Address', '地址'],
  version: ['Version', '版本'],
  built: ['Built', '构建时间'],
  started: ['Started', '启动时间'],
  seen: ['Last seen', '最近心跳'],
  thisOne: ['answers you', '当前节点'],
  about: ['This OCP', '当前 OCP'],
  likeOcp: ['Speaks the API of OCP', '兼容的 OCP 版本'],
} as const;

const PATH = '/api/v2/ocp/nodes';

export default function Nodes() {
  const w = useWords(words);
  const info = useGet('/api/v2/info', {});
  const columns: Column<Row<typeof PATH>>[] = [
    {
      title: w.name,
      dataIndex: 'name',
      sort: true,
      render: (n) => (
        <>
          {n.name} {n.self === true ? <Tag color="blue">{w.thisOne}</Tag> : null}
        </>
      ),
    },
    { title: w.status, render: (n) => <StatusTag status={n.status} /> },
    { title: w.zone, dataIndex: 'zone', sort: true },
    { title: w.idc, dataIndex: 'idc' },
    { title: w.address, dataIndex: 'address' },
    { title: w.version, dataIndex: 'version', sort: true },
    { title: w.built, render: (n) => <Time at={n.buildTime} /> },
    { title: w.started, dataIndex: 'startTime', sort: true, render: (n) => <Time at={n.startTime} /> },
    { title: w.seen, dataIndex: 'seenTime', sort: true, render: (n) => <Time at={n.seenTime} /> },
  ];
  return (
    <>
      <PageHead title={w.title} />
      <DetailCard
        title={w.about}
        details={[
          { label: w.name, value: info.data?.name },
          { label: w.likeOcp, value: info.data?.buildVersion },
          { label: w.built, value: <Time at={info.data?.buildTime} /> },
        ]}
      />
      <ServerTable path={PATH} columns={columns} rowKey="id" label={w.title} everyMs={10000} />
    </>
  );
}
