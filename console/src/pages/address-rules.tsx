// SPDX-License-Identifier: Apache-2.0
// From where one may come in: as soon as one rule counts, only addresses that some rule names.
import { Alert, Button, Input, Switch, Tag } from 'antd';

import type { Body, Row } from '../api/types';
import { DeleteDialog } from '../parts/delete-dialog';
import { Field } from '../parts/field';
import { FormDrawer } from '../parts/form-drawer';
import { PageHead } from '../parts/page-head';
import { IfMay } from '../parts/permission-guard';
import { RowActions } from '../parts/row-actions';
import { type Column, ServerTable } from '../parts/server-table';
import { Time } from '../parts/time';
import { useAction } from '../parts/use-action';
import { useDialog } from '../parts/use-dialog';
import { fill, useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['Address rules', '地址白名单'],
  explain: [
    'As soon as one rule counts, only clients whose address a rule names may use this OCP.',
    '启用任一规则后，仅规则包含的客户端地址可以访问 OCP。',
  ],
  add: ['New rule', '新建规则'],
  network: ['Network or address', '网段或地址'],
  enabled: ['Counts', '启用'],
  disabled: ['Does not count', '未启用'],
  creator: ['Made by', '创建人'],
  saved: ['The rule was saved', '规则已保存'],
  editTitle: ['Edit rule {0}', '编辑规则 {0}'],
} as const;

const PATH = '/api/v2/iam/addressRules';
const ONE = '/api/v2/iam/addressRules/{id}';
type Rule = Row<typeof PATH>;
type NewRule = Body<'post', typeof PATH>;

export default function AddressRules() {
  const w = useWords(words);
  const dialog = useDialog<Rule>();
  const options = { done: w.saved, quiet: true, refreshes: [PATH], then: dialog.hide };
  const create = useAction('post', PATH, options);
  const update = useAction('patch', ONE, options);
  const subject = dialog.subject;
  const path = { id: subject?.id ?? 0 };
  const editing = dialog.is('edit');
  const columns: Column<Rule>[] = [
    { title: w.network, dataIndex: 'network' },
    { title: w.description, dataIndex: 'description' },
    {
      title: w.status,
      render: (r) => (r.enabled === true ? <Tag color="success">{w.enabled}</Tag> : <Tag>{w.disabled}</Tag>),
    },
    { title: w.creator, dataIndex: 'creator' },
    { title: w.updated, render: (r) => <Time at={r.updateTime} /> },
    {
      title: w.actions,
      render: (r) => (
        <RowActions
          actions={[
            { label: w.edit, needs: 'PROPERTY:*:UPDATE', onClick: () => dialog.show('edit', r) },
            { label: w.remove, danger: true, needs: 'PROPERTY:*:DELETE', onClick: () => dialog.show('remove', r) },
          ]}
        />
      ),
    },
  ];
  const close = () => {
    create.reset();
    update.reset();
    dialog.hide();
  };
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="PROPERTY:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.add}
          </Button>
        </IfMay>
      </PageHead>
      <Alert type="info" showIcon role="note" title={w.explain} style={{ marginBottom: 12 }} />
      <ServerTable path={PATH} paged={false} columns={columns} rowKey="id" label={w.title} />
      <FormDrawer<NewRule>
        open={dialog.is('create') || editing}
        title={editing ? fill(w.editTitle, subject?.network ?? '') : w.add}
        initial={editing ? subject : { enabled: true }}
        running={create.running || update.running}
        error={create.error ?? update.error}
        onClose={close}
        onSubmit={(body) => (editing ? update.run({ path, body }) : create.run({ body }))}
      >
        <Field name="network" label={w.network} required>
          <Input maxLength={64} placeholder="192.0.2.0/24" autoFocus />
        </Field>
        <Field name="description" label={w.description}>
          <Input.TextArea rows={2} maxLength={1024} />
        </Field>
        <Field name="enabled" label={w.enabled} valuePropName="checked">
          <Switch />
        </Field>
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path={ONE}
        input={{ path }}
        name={subject?.network ?? ''}
        onClose={dialog.hide}
      />
    </>
  );
}
