// SPDX-License-Identifier: Apache-2.0
import { Button, Tag } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router-dom';

import type { Row } from '../api/types';
import { PageHead } from '../parts/page-head';
import { IfMay } from '../parts/permission-guard';
import { RowActions } from '../parts/row-actions';
import { type Column, ServerTable } from '../parts/server-table';
import { StatusTag, useStateText } from '../parts/status-tag';
import { useDialog } from '../parts/use-dialog';
import { useMay } from '../session';
import { useWords } from '../words';
import { AddHosts } from './hosts/add';
import { BatchActions } from './hosts/batch';
import { DeleteHosts } from './hosts/delete';
import { hostWords } from './hosts/words';

const words = {
  ...hostWords,
  add: ['Add hosts', '添加主机'],
  search: ['Address, name or alias', 'IP、名称或别名'],
} as const;

const PATH = '/api/v2/compute/hosts';
const STATES = ['NEW', 'AVAILABLE', 'ONLINE', 'OFFLINE', 'DELETING'];
type Host = Row<typeof PATH>;

export default function Hosts() {
  const w = useWords(words);
  const text = useStateText();
  const dialog = useDialog<Host>();
  const may = useMay();
  const [chosen, setChosen] = useState<Host[]>([]);
  const columns: Column<Host>[] = [
    {
      title: w.address,
      dataIndex: 'innerIpAddress',
      sort: true,
      render: (h) => <Link to={`/host/${h.id ?? 0}`}>{h.innerIpAddress}</Link>,
    },
    { title: w.name, dataIndex: 'name', sort: true },
    { title: w.status, dataIndex: 'status', sort: true, render: (h) => <StatusTag status={h.status} /> },
    {
      title: w.agent,
      render: (h) =>
        h.hostAgentId === undefined ? (
          '-'
        ) : (
          <>
            <StatusTag status={h.hostAgentStatus} /> {h.hostAgentVersion}
          </>
        ),
    },
    {
      title: w.services,
      render: (h) =>
        (h.services ?? []).filter((s) => s.type !== 'OCP_AGENT').map((s) => <Tag key={s.name}>{s.name}</Tag>),
    },
    { title: w.hostType, dataIndex: 'typeName' },
    { title: w.idc, dataIndex: 'idcName' },
    { title: w.region, dataIndex: 'regionName' },
    {
      title: w.actions,
      fixed: 'right',
      render: (h) => (
        <RowActions
          actions={[
            {
              label: w.remove,
              danger: true,
              needs: `HOST:${h.id ?? 0}:DELETE`,
              onClick: () => dialog.show('remove', h),
            },
          ]}
        />
      ),
    },
  ];
  const filters = [
    { name: 'keyword', label: w.search },
    { name: 'status', label: w.status, options: STATES.map((value) => ({ value, label: text(value) })) },
  ];
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="HOST:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.add}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable
        path={PATH}
        columns={columns}
        rowKey="id"
        label={w.title}
        filters={filters}
        everyMs={5000}
        selection={
          may('HOST:*:UPDATE|HOST:*:DELETE')
            ? { rows: chosen, nameOf: (h) => h.innerIpAddress ?? '', onChange: setChosen }
            : undefined
        }
        toolbar={<BatchActions hosts={chosen} onDone={() => setChosen([])} />}
      />
      <AddHosts open={dialog.is('create')} onClose={dialog.hide} />
      <DeleteHosts open={dialog.is('remove')} hosts={[dialog.subject ?? {}]} onClose={dialog.hide} />
    </>
  );
}
