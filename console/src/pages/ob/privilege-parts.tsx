// SPDX-License-Identifier: Apache-2.0
// Privileges of users and roles: how they are shown, and the forms that set them. Each form is one call of the API.
import { Button, Card, Flex, Form, Select, Space, Tag } from 'antd';
import type { ReactNode } from 'react';

import type { ApiError } from '../../api/call';
import { useGet } from '../../api/hooks';
import type { Row } from '../../api/types';
import { ErrorView } from '../../parts/error-view';
import { Field } from '../../parts/field';
import { useWords } from '../../words';
import { asOptions, DATABASE_PRIVILEGES, GLOBAL_PRIVILEGES, objectPrivileges } from './privileges';
import { type Of, tenantPath } from './tenant-of';
import { ob } from './words';

export const privilegeWords = {
  ...ob,
  global: ['Global privileges', '全局权限'],
  ofDatabases: ['Privileges on databases', '数据库权限'],
  ofObjects: ['Privileges on objects', '对象权限'],
  database: ['Database', '数据库'],
  object: ['Object', '对象'],
  granted: ['Roles', '角色'],
  addDatabase: ['Add a database', '添加数据库'],
  addObject: ['Add an object', '添加对象'],
  takeAway: ['Remove this row', '删除此行'],
  objectsHelp: [
    'Sets what is allowed on the objects listed here; others stay as they are. To take everything away, leave the privileges empty.',
    '仅设置此处列出的对象，其余对象的权限不变；权限留空表示收回该对象的全部权限。',
  ],
} as const;

export interface DbPrivilege {
  dbName: string;
  privileges: string[];
}

interface DbObject {
  objectType?: string;
  objectName?: string;
  schemaName?: string;
  fullName?: string;
}

export interface ObjectPrivilege {
  dbObject?: DbObject;
  privileges?: string[];
}

/** Privileges as tags, shortened. */
export function PrivilegeTags({ list, most = 6 }: { list: readonly string[] | undefined; most?: number }) {
  const shown = (list ?? []).slice(0, most);
  const rest = (list?.length ?? 0) - shown.length;
  if (shown.length === 0) return '-';
  return (
    <Space size={[4, 4]} wrap>
      {shown.map((p) => (
        <Tag key={p}>{p.replaceAll('_', ' ')}</Tag>
      ))}
      {rest > 0 ? <Tag title={list?.slice(most).join(', ')}>+{rest}</Tag> : null}
    </Space>
  );
}

/** Everything that a user or role may do, for the row that was opened. */
export function PrivilegeDetails(p: {
  global?: string[];
  databases?: { dbName?: string; privileges?: string[] }[];
  objects?: ObjectPrivilege[];
}) {
  const w = useWords(privilegeWords);
  return (
    <Flex vertical gap={8}>
      <div>
        {w.global}: <PrivilegeTags list={p.global} most={100} />
      </div>
      {(p.databases ?? []).map((d) => (
        <div key={d.dbName}>
          {w.database} {d.dbName}: <PrivilegeTags list={d.privileges} most={100} />
        </div>
      ))}
      {(p.objects ?? []).map((o) => (
        <div key={o.dbObject?.fullName}>
          {o.dbObject?.objectType} {o.dbObject?.fullName}: <PrivilegeTags list={o.privileges} most={100} />
        </div>
      ))}
    </Flex>
  );
}

/** Several of a list, by name or by keyboard. None is preselected: Tab would take it. */
export function Several(p: {
  id?: string;
  value?: string[];
  onChange?: (v: string[]) => void;
  options: { value: string; label?: string }[];
}) {
  return <Select mode="multiple" allowClear optionFilterProp="label" defaultActiveFirstOption={false} {...p} />;
}

export const GlobalSelect = (p: { id?: string; value?: string[]; onChange?: (v: string[]) => void }) => (
  <Several {...p} options={asOptions(GLOBAL_PRIVILEGES)} />
);

/** Names of the tenant's databases, to choose from. */
export function useDatabaseOptions(of: Of, enabled: boolean) {
  const got = useGet('/api/v2/ob/clusters/{id}/tenants/{tenantId}/databases', { path: tenantPath(of) }, { enabled });
  return (got.data?.contents ?? []).map((d) => ({ value: d.dbName ?? '', label: d.dbName }));
}

export function useRoleOptions(of: Of, enabled: boolean) {
  const got = useGet('/api/v2/ob/clusters/{id}/tenants/{tenantId}/roles', { path: tenantPath(of) }, { enabled });
  return (got.data?.contents ?? []).map((r) => ({ value: r.name ?? '', label: r.name }));
}

type TenantObject = Row<'/api/v2/ob/clusters/{id}/tenants/{tenantId}/objects'>;

export function useObjects(of: Of, enabled: boolean): TenantObject[] {
  const path = tenantPath(of);
  return useGet('/api/v2/ob/clusters/{id}/tenants/{tenantId}/objects', { path }, { enabled }).data?.contents ?? [];
}

/** Rows of database and privileges, for a form whose member `dbPrivileges` they are. */
export function DatabaseRows({ of }: { of: Of }) {
  const w = useWords(privilegeWords);
  const databases = useDatabaseOptions(of, true);
  return (
    <Form.List name="dbPrivileges">
      {(rows, { add, remove }) => (
        <Flex vertical gap={8} align="stretch" style={{ marginBottom: 16 }}>
          {rows.map((row) => (
            <div key={row.key} className="form-row">
              <Field name={[row.name, 'dbName']} label={w.database} required>
                <Select options={databases} showSearch />
              </Field>
              <Field name={[row.name, 'privileges']} label={w.privileges} required>
                <Several options={asOptions(DATABASE_PRIVILEGES)} />
              </Field>
              <Button size="small" onClick={() => remove(row.name)}>
                {w.takeAway}
              </Button>
            </div>
          ))}
          <Button type="dashed" onClick={() => add({ privileges: [] })}>
            {w.addDatabase}
          </Button>
        </Flex>
      )}
    </Form.List>
  );
}

export interface ObjectChoice {
  /** "TYPE schema.name": one of the objects listed. */
  object: string;
  privileges?: string[];
}

const keyOf = (o: DbObject) => `${o.objectType ?? ''} ${o.fullName ?? `${o.schemaName ?? ''}.${o.objectName ?? ''}`}`;

/** Rows of object and privileges, for a form whose member `objects` they are. */
export function ObjectRows({ objects }: { objects: TenantObject[] }) {
  const w = useWords(privilegeWords);
  const options = objects.map((o) => ({ value: keyOf(o), label: keyOf(o) }));
  return (
    <Form.List name="objects">
      {(rows, { add, remove }) => (
        <Flex vertical gap={8} align="stretch" style={{ marginBottom: 16 }}>
          {rows.map((row) => (
            <ObjectRow key={row.key} index={row.name} options={options} onRemove={() => remove(row.name)} />
          ))}
          <Button type="dashed" onClick={() => add({ privileges: [] })}>
            {w.addObject}
          </Button>
        </Flex>
      )}
    </Form.List>
  );
}

function ObjectRow(p: { index: number; options: { value: string; label: string }[]; onRemove: () => void }) {
  const w = useWords(privilegeWords);
  const chosen = Form.useWatch(['objects', p.index, 'object']) as string | undefined;
  return (
    <div className="form-row">
      <Field name={[p.index, 'object']} label={w.object} required>
        <Select options={p.options} showSearch />
      </Field>
      <Field name={[p.index, 'privileges']} label={w.privileges}>
        <Several options={asOptions(objectPrivileges(chosen?.split(' ')[0]))} />
      </Field>
      <Button size="small" onClick={p.onRemove}>
        {w.takeAway}
      </Button>
    </div>
  );
}

export const choicesOf = (list: ObjectPrivilege[] | undefined): ObjectChoice[] =>
  (list ?? []).map((o) => ({ object: keyOf(o.dbObject ?? {}), privileges: o.privileges }));

/** The body of modifyObjectPrivilege. */
export function objectPrivilegesBody(choices: ObjectChoice[], objects: TenantObject[], granted?: ObjectPrivilege[]) {
  const known = [...objects, ...(granted ?? []).map((g) => g.dbObject ?? {})];
  return choices.flatMap(({ object, privileges }) => {
    const found = known.find((o) => keyOf(o) === object);
    if (found === undefined) return [];
    const { objectType, objectName = '', schemaName = '' } = found;
    return [{ object: { objectType, objectName, schemaName }, privileges: privileges ?? [] }];
  });
}

interface SectionProps<T extends object> {
  title: string;
  help?: string;
  initial: Partial<T>;
  action: { running: boolean; error: ApiError | null };
  onSubmit: (values: T) => void;
  children: ReactNode;
}

/** One part of the privileges, saved by itself. */
export function PrivilegeSection<T extends object>({
  title,
  help,
  initial,
  action,
  onSubmit,
  children,
}: SectionProps<T>) {
  const w = useWords(privilegeWords);
  return (
    <Card size="small" title={title} style={{ marginBottom: 16 }}>
      {help === undefined ? null : <p className="quiet">{help}</p>}
      <Form<T> layout="vertical" initialValues={initial} onFinish={onSubmit} requiredMark={false}>
        {children}
        {action.error === null ? null : (
          <div style={{ marginBottom: 12 }}>
            <ErrorView error={action.error} />
          </div>
        )}
        <Button htmlType="submit" loading={action.running} aria-label={`${w.save}: ${title}`}>
          {w.save}
        </Button>
      </Form>
    </Card>
  );
}
