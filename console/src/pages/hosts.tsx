// SPDX-License-Identifier: Apache-2.0
import { Button, Input, InputNumber, Select } from 'antd';
import { Link } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Body, Row } from '../api/types';
import { DeleteDialog } from '../parts/delete-dialog';
import { Field } from '../parts/field';
import { FormDrawer } from '../parts/form-drawer';
import { PageHead } from '../parts/page-head';
import { IfMay } from '../parts/permission-guard';
import { RowActions } from '../parts/row-actions';
import { type Column, ServerTable } from '../parts/server-table';
import { StatusTag } from '../parts/status-tag';
import { useAction } from '../parts/use-action';
import { useDialog } from '../parts/use-dialog';
import { say, useLanguage, useWords } from '../words';
import { common } from '../words.common';
import { kinds } from './host-kinds';

const words = {
  ...common,
  title: ['Hosts', '主机'],
  add: ['Add hosts', '添加主机'],
  address: ['Address', 'IP 地址'],
  addresses: ['Addresses, one a line', 'IP 地址，每行一个'],
  sshPort: ['SSH port', 'SSH 端口'],
  kind: ['Kind', '主机种类'],
  idc: ['IDC', '机房'],
  region: ['Region', '区域'],
  hostType: ['Host type', '主机类型'],
  credential: ['Credential', '登录凭据'],
  credentialHelp: ['A credential for hosts in your password box', '密码箱中的主机凭据'],
  search: ['Address, name or alias', 'IP、名称或别名'],
  started: ['The hosts are being added', '正在添加主机'],
} as const;

const PATH = '/api/v2/compute/hosts';
type Host = Row<typeof PATH>;
type NewHosts = Body<'post', '/api/v2/compute/hosts/batchCreate'>;
type Values = Pick<NewHosts, 'sshPort' | 'kind' | 'idcId' | 'typeId' | 'credentialId' | 'description'> & {
  addresses: string;
};

const EVERYTHING = { query: { page: 1, size: 2000 } };
const toOptions = (rows: { id?: number; name?: string }[] | undefined) =>
  (rows ?? []).map((r) => ({ value: r.id ?? 0, label: r.name }));
const search = { optionFilterProp: 'label' };

function HostFields() {
  const w = useWords(words);
  const { language } = useLanguage();
  const idcs = useGet('/api/v2/compute/idcs', EVERYTHING);
  const types = useGet('/api/v2/compute/hostTypes', EVERYTHING);
  const credentials = useGet('/api/v2/profiles/me/credentials', { query: { targetType: 'HOST' } });
  return (
    <>
      <Field name="addresses" label={w.addresses} required>
        <Input.TextArea rows={4} autoFocus />
      </Field>
      <Field name="sshPort" label={w.sshPort} required>
        <InputNumber min={1} max={65535} />
      </Field>
      <Field name="kind" label={w.kind} required>
        <Select options={Object.entries(kinds).map(([value, pair]) => ({ value, label: say(pair, language) }))} />
      </Field>
      <Field name="idcId" label={w.idc} required>
        <Select options={toOptions(idcs.data?.contents)} showSearch={search} />
      </Field>
      <Field name="typeId" label={w.hostType} required>
        <Select options={toOptions(types.data?.contents)} showSearch={search} />
      </Field>
      <Field name="credentialId" label={w.credential} required extra={w.credentialHelp}>
        <Select options={toOptions(credentials.data?.contents)} showSearch={search} />
      </Field>
      <Field name="description" label={w.description}>
        <Input.TextArea rows={2} maxLength={512} />
      </Field>
    </>
  );
}

const lines = (text: string) => text.split(/[\s,;，；]+/).filter((s) => s !== '');

export default function Hosts() {
  const w = useWords(words);
  const dialog = useDialog<Host>();
  const add = useAction('post', '/api/v2/compute/hosts/batchCreate', {
    done: w.started,
    quiet: true,
    refreshes: [PATH],
    then: dialog.hide,
  });
  const columns: Column<Host>[] = [
    {
      title: w.address,
      dataIndex: 'innerIpAddress',
      sort: true,
      render: (h) => <Link to={`/host/${h.id ?? 0}`}>{h.innerIpAddress}</Link>,
    },
    { title: w.name, dataIndex: 'name', sort: true },
    { title: w.sshPort, dataIndex: 'sshPort' },
    { title: w.hostType, dataIndex: 'typeName' },
    { title: w.idc, dataIndex: 'idcName' },
    { title: w.region, dataIndex: 'regionName' },
    { title: w.status, dataIndex: 'status', sort: true, render: (h) => <StatusTag status={h.status} /> },
    {
      title: w.actions,
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
  const submit = ({ addresses, ...rest }: Values) =>
    add.run({ body: { ...rest, hostBasicDataList: lines(addresses).map((innerIpAddress) => ({ innerIpAddress })) } });
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
        filters={[{ name: 'keyword', label: w.search }]}
      />
      <FormDrawer<Values>
        open={dialog.is('create')}
        title={w.add}
        initial={{ sshPort: 22, kind: 'DEDICATED_PHYSICAL_MACHINE' }}
        running={add.running}
        error={add.error}
        onClose={() => {
          add.reset();
          dialog.hide();
        }}
        onSubmit={submit}
      >
        <HostFields />
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path="/api/v2/compute/hosts/{hostId}"
        input={{ path: { hostId: dialog.subject?.id ?? 0 } }}
        name={dialog.subject?.innerIpAddress ?? ''}
        onClose={dialog.hide}
      />
    </>
  );
}
