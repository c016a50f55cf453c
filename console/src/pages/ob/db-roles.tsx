// SPDX-License-Identifier: Apache-2.0
// Roles inside a tenant.
import { Button, Drawer, Input } from 'antd';

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
import {
  GlobalSelect,
  PrivilegeDetails,
  PrivilegeTags,
  privilegeWords,
  Several,
  useRoleOptions,
} from './privilege-parts';
import { RolePrivileges } from './all-privileges';
import { type Of, tenantNeeds, tenantPath } from './tenant-of';

const words = {
  ...privilegeWords,
  fresh: ['New role', '新建角色'],
  grantees: ['Held by', '被授予者'],
  includes: ['Includes', '包含角色'],
  privilegesOf: ['Privileges of {0}', '{0} 的权限'],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/roles';
const ONE = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/roles/{roleName}';
type DbRole = Row<typeof PATH>;
type NewRole = Body<'post', typeof PATH>;

function NewRoleFields({ of }: { of: Of }) {
  const w = useWords(words);
  const roles = useRoleOptions(of, true);
  return (
    <>
      <Field name="roleName" label={w.name} required>
        <Input maxLength={64} autoFocus autoComplete="off" />
      </Field>
      <Field name="globalPrivileges" label={w.global}>
        <GlobalSelect />
      </Field>
      <Field name="roles" label={w.includes}>
        <Several options={roles} />
      </Field>
    </>
  );
}

export function DbRoles({ of }: { of: Of }) {
  const w = useWords(words);
  const dialog = useDialog<DbRole>();
  const name = dialog.subject?.name ?? '';
  const path = tenantPath(of);
  const needs = tenantNeeds(of, 'UPDATE');
  const create = useAction('post', PATH, { quiet: true, refreshes: [PATH], then: dialog.hide });
  const columns: Column<DbRole>[] = [
    { title: w.name, dataIndex: 'name', sort: true },
    { title: w.global, render: (r) => <PrivilegeTags list={r.globalPrivileges} most={4} /> },
    { title: w.includes, render: (r) => (r.grantedRoles ?? []).join(', ') || '-' },
    { title: w.grantees, render: (r) => [...(r.userGrantees ?? []), ...(r.roleGrantees ?? [])].join(', ') || '-' },
    { title: w.created, dataIndex: 'createTime', sort: true, render: (r) => <Time at={r.createTime} /> },
    {
      title: w.actions,
      fixed: 'end',
      render: (r) => (
        <RowActions
          actions={[
            { label: w.privileges, needs, onClick: () => dialog.show('privileges', r) },
            { label: w.remove, needs, danger: true, onClick: () => dialog.show('remove', r) },
          ]}
        />
      ),
    },
  ];
  const add = (
    <IfMay needs={needs}>
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
        find={(r) => r.name ?? ''}
        columns={columns}
        rowKey={(r) => r.name ?? ''}
        label={w.roles}
        toolbar={of.mode === 'ORACLE' ? null : add}
        expand={(r) => (
          <PrivilegeDetails global={r.globalPrivileges} databases={r.dbPrivileges} objects={r.objectPrivileges} />
        )}
      />
      <FormDrawer<NewRole>
        open={dialog.is('create')}
        title={w.fresh}
        initial={{ globalPrivileges: [], roles: [] }}
        running={create.running}
        error={create.error}
        onClose={() => {
          create.reset();
          dialog.hide();
        }}
        onSubmit={(body) => create.run({ path, body })}
      >
        <NewRoleFields of={of} />
      </FormDrawer>
      <Drawer
        open={dialog.is('privileges')}
        title={fill(w.privilegesOf, name)}
        size={720}
        onClose={dialog.hide}
        destroyOnHidden
      >
        {name === '' ? null : <RolePrivileges of={of} roleName={name} />}
      </Drawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path={ONE}
        input={{ path: { ...path, roleName: name } }}
        name={name}
        onClose={dialog.hide}
      />
    </>
  );
}
