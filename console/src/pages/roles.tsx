// SPDX-License-Identifier: Apache-2.0
import { Button, Form, Input, Tag } from 'antd';

import type { Body, Row } from '../api/types';
import { DeleteDialog } from '../parts/delete-dialog';
import { Field } from '../parts/field';
import { FormDrawer } from '../parts/form-drawer';
import { PageHead } from '../parts/page-head';
import { PermissionEditor } from '../parts/permission-editor';
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
  title: ['Roles', '角色'],
  newRole: ['New role', '新建角色'],
  copy: ['Copy', '复制'],
  builtin: ['comes with OCP', '系统内置'],
  custom: ['made here', '自定义'],
  kind: ['Kind', '类型'],
  permissions: ['Permissions', '权限'],
  saved: ['The role was saved', '角色已保存'],
  editTitle: ['Edit role {0}', '编辑角色 {0}'],
  copyTitle: ['Copy of role {0}', '复制角色 {0}'],
  usersToo: ['Users who have it lose what it allowed.', '拥有该角色的用户将失去相应权限。'],
} as const;

const PATH = '/api/v2/iam/roles';
type Role = Row<typeof PATH>;
type NewRole = Body<'post', typeof PATH>;

export default function Roles() {
  const w = useWords(words);
  const dialog = useDialog<Role>();
  const options = { done: w.saved, quiet: true, refreshes: [PATH], then: dialog.hide };
  const create = useAction('post', PATH, options);
  const update = useAction('patch', '/api/v2/iam/roles/{id}', options);
  const subject = dialog.subject;
  const editing = dialog.is('edit');
  const columns: Column<Role>[] = [
    { title: w.name, dataIndex: 'name' },
    { title: w.description, dataIndex: 'description' },
    { title: w.kind, render: (r) => <Tag>{r.builtin === true ? w.builtin : w.custom}</Tag> },
    { title: w.updated, render: (r) => <Time at={r.updateTime} /> },
    {
      title: w.actions,
      render: (r) => (
        <RowActions
          actions={[
            {
              label: w.edit,
              needs: `ROLE:${r.id ?? 0}:UPDATE`,
              hidden: r.builtin === true,
              onClick: () => dialog.show('edit', r),
            },
            { label: w.copy, needs: 'ROLE:*:CREATE', onClick: () => dialog.show('copy', r) },
            {
              label: w.remove,
              danger: true,
              needs: `ROLE:${r.id ?? 0}:DELETE`,
              hidden: r.builtin === true,
              onClick: () => dialog.show('remove', r),
            },
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
  const titles = {
    edit: fill(w.editTitle, subject?.name ?? ''),
    copy: fill(w.copyTitle, subject?.name ?? ''),
    create: w.newRole,
  };
  const kind = editing ? 'edit' : dialog.is('copy') ? 'copy' : 'create';
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="ROLE:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.newRole}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable
        path={PATH}
        paged={false}
        columns={columns}
        rowKey="id"
        label={w.title}
        filters={[
          { name: 'name', label: w.name },
          {
            name: 'builtin',
            label: w.kind,
            options: [
              { value: 'true', label: w.builtin },
              { value: 'false', label: w.custom },
            ],
          },
        ]}
        expand={(r) => <PermissionEditor value={r.permissions ?? []} readOnly />}
      />
      <FormDrawer<NewRole>
        open={dialog.is('create') || editing || dialog.is('copy')}
        title={titles[kind]}
        width={760}
        initial={kind === 'create' ? { permissions: [] } : { ...subject, name: editing ? subject?.name : '' }}
        running={create.running || update.running}
        error={create.error ?? update.error}
        onClose={close}
        onSubmit={(body) => (editing ? update.run({ path: { id: subject?.id ?? 0 }, body }) : create.run({ body }))}
      >
        <Field name="name" label={w.name} required>
          <Input maxLength={64} autoFocus />
        </Field>
        <Field name="description" label={w.description}>
          <Input.TextArea rows={2} maxLength={255} />
        </Field>
        <Form.Item name="permissions" label={w.permissions}>
          <PermissionEditor />
        </Form.Item>
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path="/api/v2/iam/roles/{id}"
        input={{ path: { id: subject?.id ?? 0 } }}
        name={subject?.name ?? ''}
        onClose={dialog.hide}
      >
        {w.usersToo}
      </DeleteDialog>
    </>
  );
}
