// SPDX-License-Identifier: Apache-2.0
import type { Row } from '../api/types';
import { PageHead } from '../parts/page-head';
import { type Column, ServerTable } from '../parts/server-table';
import { useWords } from '../words';
import { common } from '../words.common';

const words = { ...common, title: ['Hosts', '主机'], address: ['Address', '地址'] } as const;

const PATH = '/api/v2/compute/hosts';

export default function Hosts() {
  const w = useWords(words);
  const columns: Column<Row<typeof PATH>>[] = [
    { title: w.address, dataIndex: 'innerIpAddress', sort: true },
    { title: w.name, dataIndex: 'name' },
    { title: w.status, dataIndex: 'status' },
  ];
  return (
    <>
      <PageHead title={w.title} />
      <ServerTable path={PATH} columns={columns} rowKey="id" label={w.title} />
    </>
  );
}
