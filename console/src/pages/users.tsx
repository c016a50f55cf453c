// SPDX-License-Identifier: Apache-2.0
import { Button, Input, Tag } from 'antd';
import { Link } from 'react-router-dom';

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
import { UserFields, userWords } from './user-form';

const words = {
  ...userWords,
  title: ['Users', '用户'],
  newUser: ['New user', '新建用户'],
  resetPassword: ['Reset password', '重置密码'],
  newPassword: ['New password', '新密码'],
  lock: ['Lock', '锁定'],
  unlock: ['Unlock', '解锁'],
  saved: ['{0} was saved', '{0} 已保存'],
  isLocked: ['{0} was locked', '{0} 已锁定'],
  isUnlocked: ['{0} was unlocked', '{0} 已解锁'],
  editTitle: ['Edit user {0}', '编辑用户 {0}'],
  resetTitle: ['A new password for {0}', '为 {0} 设置新密码'],
  resetDone: ['The password was set; it must be changed at the next login', '密码已重置，下次登录时须修改'],
  anyName: ['Name, email or department', '用户名、邮箱或部门'],
} as const;

const PATH = '/api/v2/iam/users';
type User = Row<typeof PATH>;
type NewUser = Body<'post', typeof PATH>;

function State({ user }: { user: User }) {
  const w = useWords(words);
  if (user.enabled === false) return <Tag>{w.disabled}</Tag>;
  return user.locked === true ? <Tag color="error">{w.locked}</Tag> : <Tag color="success">{w.active}</Tag>;
}

function useUserActions(then: () => void) {
  const w = useWords(words);
  const options = { quiet: true, refreshes: [PATH], then };
  return {
    create: useAction('post', PATH, options),
    update: useAction('patch', '/api/v2/iam/users/{id}', options),
    reset: useAction('post', '/api/v2/iam/users/{id}/resetPassword', { ...options, done: w.resetDone }),
    lock: useAction('post', '/api/v2/iam/users/{id}/lock', { refreshes: [PATH] }),
    unlock: useAction('post', '/api/v2/iam/users/{id}/unlock', { refreshes: [PATH] }),
  };
}

export default function Users() {
  const w = useWords(words);
  const dialog = useDialog<User>();
  const { create, update, reset, lock, unlock } = useUserActions(dialog.hide);
  const subject = dialog.subject;
  const path = { id: subject?.id ?? 0 };
  const columns: Column<User>[] = [
    {
      title: w.username,
      dataIndex: 'username',
      sort: true,
      render: (u) => <Link to={`/user/${u.id ?? 0}`}>{u.username}</Link>,
    },
    { title: w.roles, render: (u) => (u.roles ?? []).map((r) => <Tag key={r.id}>{r.name}</Tag>) },
    { title: w.email, dataIndex: 'email', sort: true },
    { title: w.department, dataIndex: 'department', sort: true },
    { title: w.status, render: (u) => <State user={u} /> },
    { title: w.lastLogin, dataIndex: 'lastLoginTime', sort: true, render: (u) => <Time at={u.lastLoginTime} /> },
    {
      title: w.actions,
      render: (u) => {
        const needs = `USER:${u.id ?? 0}:UPDATE`;
        const input = { path: { id: u.id ?? 0 } };
        return (
          <RowActions
            actions={[
              { label: w.edit, needs, onClick: () => dialog.show('edit', u) },
              { label: w.resetPassword, needs, onClick: () => dialog.show('reset', u) },
              { label: w.lock, needs, hidden: u.locked === true, onClick: () => lock.run(input) },
              { label: w.unlock, needs, hidden: u.locked !== true, onClick: () => unlock.run(input) },
              {
                label: w.remove,
                danger: true,
                needs: `USER:${u.id ?? 0}:DELETE`,
                onClick: () => dialog.show('remove', u),
              },
            ]}
          />
        );
      },
    },
  ];
  const close = () => {
    [create, update, reset].forEach((a) => a.reset());
    dialog.hide();
  };
  const yesNo = [
    { value: 'true', label: w.yes },
    { value: 'false', label: w.no },
  ];
  const editing = dialog.is('edit');
  const initial = editing
    ? { ...subject, roles: subject?.roles?.map((r) => r.id ?? 0) }
    : { enabled: true, needChangePassword: true };
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="USER:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.newUser}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable
        path={PATH}
        columns={columns}
        rowKey="id"
        label={w.title}
        filters={[
          { name: 'keyword', label: w.anyName },
          { name: 'enabled', label: w.enabled, options: yesNo },
          { name: 'locked', label: w.locked, options: yesNo },
        ]}
      />
      <FormDrawer<NewUser>
        open={dialog.is('create') || editing}
        title={editing ? fill(w.editTitle, subject?.username ?? '') : w.newUser}
        initial={initial as Partial<NewUser>}
        running={create.running || update.running}
        error={create.error ?? update.error}
        onClose={close}
        onSubmit={(body) => (editing ? update.run({ path, body }) : create.run({ body }))}
      >
        <UserFields fresh={!editing} />
      </FormDrawer>
      <FormDrawer<{ password: string }>
        open={dialog.is('reset')}
        title={fill(w.resetTitle, subject?.username ?? '')}
        running={reset.running}
        error={reset.error}
        onClose={close}
        onSubmit={(body) => reset.run({ path, body })}
      >
        <Field name="password" label={w.newPassword} required>
          <Input.Password autoComplete="new-password" autoFocus />
        </Field>
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path="/api/v2/iam/users/{id}"
        input={{ path }}
        name={subject?.username ?? ''}
        onClose={dialog.hide}
      />
    </>
  );
}
