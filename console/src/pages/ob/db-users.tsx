// SPDX-License-Identifier: Apache-2.0
// Users inside a tenant, and what they may do there.
import { Button, Checkbox, Drawer, Form, Input, Tag } from 'antd';

import type { Body, Row } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
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
import { PasswordDrawer } from './password-drawer';
import { DatabaseRows, GlobalSelect, privilegeWords, Several, useRoleOptions } from './privilege-parts';
import { PrivilegeDetails, PrivilegeTags } from './privilege-parts';
import { type Of, tenantNeeds, tenantPath } from './tenant-of';
import { UserPrivileges } from './all-privileges';

const words = {
  ...privilegeWords,
  username: ['User name', '用户名'],
  fresh: ['New user', '新建用户'],
  active: ['May log in', '正常'],
  access: ['Databases', '可访问的数据库'],
  passwordTitle: ['A new password for {0}', '修改 {0} 的密码'],
  lockTitle: ['Lock {0}?', '锁定用户 {0}？'],
  lockText: ['It can log in no more until it is unlocked.', '锁定后该用户将无法登录，直到解锁。'],
  privilegesOf: ['Privileges of {0}', '{0} 的权限'],
  isLocked: ['{0} was locked', '{0} 已锁定'],
  isUnlocked: ['{0} was unlocked', '{0} 已解锁'],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/users';
const ONE = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/users/{username}';
export type DbUser = Row<typeof PATH>;
type NewUser = Body<'post', typeof PATH>;

function useUserActions(name: string, then: () => void) {
  const w = useWords(words);
  const options = { quiet: true, refreshes: [PATH], then };
  return {
    create: useAction('post', PATH, options),
    password: useAction('post', `${ONE}/changePassword`, { ...options, done: w.passwordChanged }),
    lock: useAction('post', `${ONE}/lock`, { ...options, done: fill(w.isLocked, name) }),
    unlock: useAction('post', `${ONE}/unlock`, { refreshes: [PATH] }),
  };
}

function useColumns(of: Of, show: (kind: string, u: DbUser) => void, onUnlock: (u: DbUser) => void): Column<DbUser>[] {
  const w = useWords(words);
  const needs = tenantNeeds(of, 'UPDATE');
  return [
    { title: w.username, dataIndex: 'username', sort: true },
    {
      title: w.status,
      render: (u) =>
        u.isLocked === true ? <Tag color="error">{w.locked}</Tag> : <Tag color="success">{w.active}</Tag>,
    },
    { title: w.global, render: (u) => <PrivilegeTags list={u.globalPrivileges} most={3} /> },
    { title: w.granted, render: (u) => (u.grantedRoles ?? []).join(', ') || '-' },
    { title: w.access, width: 240, render: (u) => (u.accessibleDatabases ?? []).join(', ') || '-' },
    { title: w.created, dataIndex: 'createTime', sort: true, render: (u) => <Time at={u.createTime} /> },
    {
      title: w.actions,
      fixed: 'end',
      render: (u) => (
        <RowActions
          actions={[
            { label: w.privileges, needs, onClick: () => show('privileges', u) },
            { label: w.changePassword, needs, onClick: () => show('password', u) },
            { label: w.lock, needs, danger: true, hidden: u.isLocked === true, onClick: () => show('lock', u) },
            { label: w.unlock, needs, hidden: u.isLocked !== true, onClick: () => onUnlock(u) },
            { label: w.remove, needs, danger: true, onClick: () => show('remove', u) },
          ]}
        />
      ),
    },
  ];
}

function NewUserFields({ of }: { of: Of }) {
  const w = useWords(words);
  const roles = useRoleOptions(of, true);
  return (
    <>
      <Field name="username" label={w.username} required>
        <Input maxLength={64} autoFocus autoComplete="off" />
      </Field>
      <Field name="password" label={w.password} required>
        <Input.Password autoComplete="new-password" />
      </Field>
      <Form.Item name="saveToCredential" valuePropName="checked">
        <Checkbox>{w.keepPassword}</Checkbox>
      </Form.Item>
      <Field name="globalPrivileges" label={w.global}>
        <GlobalSelect />
      </Field>
      <Field name="roles" label={w.granted}>
        <Several options={roles} />
      </Field>
      <DatabaseRows of={of} />
    </>
  );
}

export function DbUsers({ of }: { of: Of }) {
  const w = useWords(words);
  const dialog = useDialog<DbUser>();
  const name = dialog.subject?.username ?? '';
  const path = tenantPath(of);
  const one = { ...path, username: name };
  const { create, password, lock, unlock } = useUserActions(name, dialog.hide);
  const columns = useColumns(of, dialog.show, (u) => unlock.run({ path: { ...path, username: u.username ?? '' } }));
  const close = () => {
    [create, password, lock].forEach((a) => a.reset());
    dialog.hide();
  };
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
        find={(u) => u.username ?? ''}
        columns={columns}
        rowKey={(u) => u.username ?? ''}
        label={w.users}
        toolbar={of.mode === 'ORACLE' ? null : add}
        expand={(u) => (
          <PrivilegeDetails global={u.globalPrivileges} databases={u.dbPrivileges} objects={u.objectPrivileges} />
        )}
      />
      <FormDrawer<NewUser>
        open={dialog.is('create')}
        title={w.fresh}
        width={640}
        initial={{ globalPrivileges: [], roles: [], dbPrivileges: [], saveToCredential: false }}
        running={create.running}
        error={create.error}
        onClose={close}
        onSubmit={(body) => create.run({ path, body })}
      >
        <NewUserFields of={of} />
      </FormDrawer>
      <Drawer
        open={dialog.is('privileges')}
        title={fill(w.privilegesOf, name)}
        size={720}
        onClose={close}
        destroyOnHidden
      >
        {name === '' ? null : <UserPrivileges of={of} username={name} />}
      </Drawer>
      <PasswordDrawer
        open={dialog.is('password')}
        title={fill(w.passwordTitle, name)}
        running={password.running}
        error={password.error}
        onClose={close}
        onSubmit={({ newPassword, saveToCredential }) =>
          password.run({ path: one, body: { newPassword, saveToCredential } })
        }
      />
      <ConfirmTyped
        open={dialog.is('lock')}
        title={fill(w.lockTitle, name)}
        word="confirm"
        running={lock.running}
        error={lock.error}
        onConfirm={() => lock.run({ path: one })}
        onClose={close}
      >
        {w.lockText}
      </ConfirmTyped>
      <DeleteDialog open={dialog.is('remove')} path={ONE} input={{ path: one }} name={name} onClose={dialog.hide} />
    </>
  );
}
