// SPDX-License-Identifier: Apache-2.0
import { AutoComplete, Button, Form, Input, Switch, Typography } from 'antd';

import type { Body, Row } from '../../api/types';
import { DeleteDialog } from '../../parts/delete-dialog';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { IfMay } from '../../parts/permission-guard';
import { RowActions } from '../../parts/row-actions';
import { type Column, ServerTable } from '../../parts/server-table';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { type Of, tenantNeeds, tenantPath } from './tenant-of';
import { ob } from './words';

const words = {
  ...ob,
  fresh: ['New database', '新建数据库'],
  saved: ['{0} was saved', '{0} 已保存'],
  made: ['{0} was created', '{0} 已创建'],
  editTitle: ['Edit database {0}', '编辑数据库 {0}'],
  everything: [
    'It is dropped with every table in it. This cannot be undone.',
    '数据库及其中所有表都将被删除，且不可恢复。',
  ],
  collationHelp: ['Empty: that of the tenant.', '留空则使用租户的字符序。'],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/databases';
const ONE = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/databases/{dbName}';
const COLLATIONS = ['utf8mb4_general_ci', 'utf8mb4_bin', 'utf8mb4_unicode_ci', 'gbk_chinese_ci', 'gbk_bin', 'binary'];
type Database = Row<typeof PATH>;
type NewDatabase = Body<'post', typeof PATH>;

function useColumns(of: Of, dialog: { show: (kind: string, d: Database) => void }): Column<Database>[] {
  const w = useWords(words);
  const needs = tenantNeeds(of, 'UPDATE');
  return [
    { title: w.name, dataIndex: 'dbName', sort: true },
    { title: w.charset, dataIndex: 'charset' },
    { title: w.collation, dataIndex: 'collation', sort: true },
    { title: w.readonly, render: (d) => (d.readonly === true ? w.yes : w.no) },
    { title: w.created, dataIndex: 'createTime', sort: true, render: (d) => <Time at={d.createTime} /> },
    {
      title: w.connection,
      width: 360,
      render: (d) => (
        <Typography.Text code copyable className="breaks">
          {d.connectionUrls?.[0]?.connectionString}
        </Typography.Text>
      ),
    },
    {
      title: w.actions,
      fixed: 'end',
      render: (d) => (
        <RowActions
          actions={[
            { label: w.edit, needs, onClick: () => dialog.show('edit', d) },
            { label: w.remove, needs, danger: true, onClick: () => dialog.show('remove', d) },
          ]}
        />
      ),
    },
  ];
}

function DatabaseFields({ fresh }: { fresh: boolean }) {
  const w = useWords(words);
  return (
    <>
      {fresh ? (
        <Field name="dbName" label={w.name} required>
          <Input maxLength={128} autoFocus autoComplete="off" />
        </Field>
      ) : null}
      <Field name="collation" label={w.collation} extra={fresh ? w.collationHelp : undefined}>
        <AutoComplete options={COLLATIONS.map((value) => ({ value }))} />
      </Field>
      <Form.Item name="readonly" label={w.readonly} valuePropName="checked">
        <Switch />
      </Form.Item>
    </>
  );
}

export function Databases({ of }: { of: Of }) {
  const w = useWords(words);
  const dialog = useDialog<Database>();
  const subject = dialog.subject;
  const path = tenantPath(of);
  const one = { ...path, dbName: subject?.dbName ?? '' };
  const options = { quiet: true, refreshes: [PATH], then: dialog.hide };
  const create = useAction('post', PATH, options);
  const update = useAction('put', ONE, { ...options, done: fill(w.saved, one.dbName) });
  const columns = useColumns(of, dialog);
  const editing = dialog.is('edit');
  const add = (
    <IfMay needs={tenantNeeds(of, 'UPDATE')}>
      <Button type="primary" onClick={() => dialog.show('create')}>
        {w.fresh}
      </Button>
    </IfMay>
  );
  return (
    <>
      <ServerTable
        path={PATH}
        input={{ path }}
        paged={false}
        find={(d) => d.dbName ?? ''}
        columns={columns}
        rowKey={(d) => d.dbName ?? ''}
        label={w.databases}
        toolbar={of.mode === 'ORACLE' ? null : add}
      />
      <FormDrawer<NewDatabase>
        open={editing || dialog.is('create')}
        title={editing ? fill(w.editTitle, one.dbName) : w.fresh}
        initial={editing ? { collation: subject?.collation, readonly: subject?.readonly } : { readonly: false }}
        running={create.running || update.running}
        error={create.error ?? update.error}
        onClose={() => {
          create.reset();
          update.reset();
          dialog.hide();
        }}
        onSubmit={({ dbName, collation, readonly }) => {
          const body = { collation: collation || undefined, readonly };
          if (editing) update.run({ path: one, body });
          else create.run({ path, body: { dbName, ...body } });
        }}
      >
        <DatabaseFields fresh={!editing} />
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path={ONE}
        input={{ path: one }}
        name={one.dbName}
        refreshes={[PATH]}
        onClose={dialog.hide}
      >
        {w.everything}
      </DeleteDialog>
    </>
  );
}
