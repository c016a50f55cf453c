// SPDX-License-Identifier: Apache-2.0
// Parameters of a cluster: values by server, changes by scope.
import { Button, Flex, Form, Select, Space, Tag, Typography } from 'antd';

import type { Body, Data, Row } from '../../api/types';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { RowActions } from '../../parts/row-actions';
import { type Column, ServerTable } from '../../parts/server-table';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { useHistoryColumns, useRangeText, ValueInput, WithHistory } from './parameter-value';
import { ob } from './words';

const words = {
  ...ob,
  range: ['Possible values', '取值范围'],
  differs: ['differs between servers', '各 OBServer 取值不同'],
  restart: ['after a restart', '重启生效'],
  ofTenants: ['of tenants', '租户级'],
  where: ['Where', '生效范围'],
  targets: ['Which', '对象'],
  CLUSTER: ['Everywhere', '集群'],
  SYS: ['In the tenant sys', 'sys 租户'],
  zones: ['Zones', 'Zone'],
  serverIds: ['Servers', 'OBServer'],
  tenantIds: ['Tenants', '租户'],
  allTenants: ['All tenants but sys', '除 sys 外的所有租户'],
  addRow: ['Another value elsewhere', '添加其他范围'],
  takeAway: ['Remove this row', '删除此行'],
  changed: ['{0} was changed', '{0} 已修改'],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/parameters';
const HISTORY = '/api/v2/ob/clusters/{id}/parameterHistories';
type Cluster = Data<'get', '/api/v2/ob/clusters/{id}'>;
type Parameter = Row<typeof PATH>;
type Wish = NonNullable<Body<'put', typeof PATH>>[number];
type Where = 'CLUSTER' | 'zones' | 'serverIds' | 'tenantIds' | 'allTenants';

interface Change {
  value: string;
  where: Where;
  targets?: (string | number)[];
}

function wishOf(name: string, { value, where, targets }: Change): Wish {
  const base = { name, value: value as unknown as Wish['value'] };
  if (where === 'CLUSTER') return base;
  return { ...base, [where]: where === 'allTenants' ? true : targets };
}

/* What may be chosen in each scope. */
function targetsOf(of: Cluster, where: Where): { value: string | number; label: string | undefined }[] {
  const servers = (of.zones ?? []).flatMap((z) => z.servers ?? []);
  if (where === 'zones') return (of.zones ?? []).map((z) => ({ value: z.name ?? '', label: z.name }));
  if (where === 'serverIds') return servers.map((s) => ({ value: s.id ?? 0, label: `${s.ip ?? ''}:${s.port ?? ''}` }));
  return (of.tenants ?? []).map((t) => ({ value: t.id ?? 0, label: t.name }));
}

function ScopeRow({ of, parameter, index }: { of: Cluster; parameter: Parameter; index: number }) {
  const w = useWords(words);
  const where = Form.useWatch(['changes', index, 'where']) as Where | undefined;
  const ofTenants = parameter.scope === 'TENANT';
  const scopes: Where[] = ofTenants ? ['CLUSTER', 'allTenants', 'tenantIds'] : ['CLUSTER', 'zones', 'serverIds'];
  const name = (s: Where) => (s === 'CLUSTER' && ofTenants ? w.SYS : w[s]);
  const chosen = where === 'zones' || where === 'serverIds' || where === 'tenantIds';
  return (
    <>
      <Field name={[index, 'value']} label={w.value} required>
        <ValueInput range={parameter.valueRange} autoFocus={index === 0} />
      </Field>
      {of.engine === 'SEEKDB' ? (
        <Form.Item name={[index, 'where']} hidden>
          <Select />
        </Form.Item>
      ) : (
        <Field name={[index, 'where']} label={w.where}>
          <Select options={scopes.map((s) => ({ value: s, label: name(s) }))} />
        </Field>
      )}
      {chosen ? (
        <Field name={[index, 'targets']} label={w.targets} required>
          <Select mode="multiple" options={targetsOf(of, where)} optionFilterProp="label" />
        </Field>
      ) : null}
    </>
  );
}

function ScopeRows({ of, parameter }: { of: Cluster; parameter: Parameter }) {
  const w = useWords(words);
  const rangeText = useRangeText();
  return (
    <>
      <p>{parameter.description}</p>
      <p>
        {w.preset}: {parameter.defaultValue} {rangeText(parameter.valueRange)}
      </p>
      <Form.List name="changes">
        {(rows, { add, remove }) => (
          <Flex vertical gap={16} align="stretch">
            {rows.map((row) => (
              <div key={row.key} style={{ borderInlineStart: '3px solid #d0d3d9', paddingInlineStart: 12 }}>
                <ScopeRow of={of} parameter={parameter} index={row.name} />
                {rows.length > 1 ? (
                  <Button size="small" onClick={() => remove(row.name)}>
                    {w.takeAway}
                  </Button>
                ) : null}
              </div>
            ))}
            {of.engine === 'SEEKDB' ? null : (
              <Button type="dashed" onClick={() => add({ where: 'CLUSTER' })}>
                {w.addRow}
              </Button>
            )}
          </Flex>
        )}
      </Form.List>
    </>
  );
}

function Values({ of }: { of: Parameter }) {
  const w = useWords(words);
  const { values = [], singleValueInCluster } = of.currentValue ?? {};
  return (
    <Space wrap size={4}>
      <span className="breaks">{values.join(', ')}</span>
      {singleValueInCluster === false ? <Tag color="warning">{w.differs}</Tag> : null}
    </Space>
  );
}

/** Where a parameter has which value. */
function Places({ of }: { of: Parameter }) {
  return (
    <ul style={{ margin: 0 }}>
      {(of.currentValue?.obParameters ?? []).map((p) => (
        <li key={`${p.svrIp ?? ''}:${p.svrPort ?? ''}`}>
          {p.zone} {p.svrIp}:{p.svrPort}: {p.value}
        </li>
      ))}
    </ul>
  );
}

function History({ cluster }: { cluster: number }) {
  const w = useWords(words);
  const columns = useHistoryColumns();
  return (
    <ServerTable
      path={HISTORY}
      input={{ path: { id: cluster } }}
      columns={columns}
      rowKey="id"
      label={w.history}
      prefix="h."
      filters={[{ name: 'name', label: w.name }]}
    />
  );
}

function useColumns(of: Cluster, onEdit: (p: Parameter) => void): Column<Parameter>[] {
  const w = useWords(words);
  const rangeText = useRangeText();
  return [
    {
      title: w.name,
      dataIndex: 'name',
      sort: true,
      width: 340,
      render: (p) => (
        <>
          <Typography.Text strong>{p.name}</Typography.Text>{' '}
          {p.scope === 'TENANT' ? <Tag color="blue">{w.ofTenants}</Tag> : null}
          {p.readonly === true ? <Tag>{w.readonly}</Tag> : p.needRestart === true ? <Tag>{w.restart}</Tag> : null}
          <div className="quiet">{p.description}</div>
        </>
      ),
    },
    { title: w.value, width: 200, render: (p) => <Values of={p} /> },
    { title: w.preset, width: 150, render: (p) => <span className="breaks">{p.defaultValue}</span> },
    { title: w.range, width: 150, render: (p) => rangeText(p.valueRange) || '-' },
    {
      title: w.actions,
      fixed: 'end',
      render: (p) => (
        <RowActions
          actions={[
            {
              label: w.edit,
              needs: `CLUSTER:${of.id ?? 0}:UPDATE`,
              hidden: p.readonly === true,
              onClick: () => onEdit(p),
            },
          ]}
        />
      ),
    },
  ];
}

export function ClusterParameters({ of }: { of: Cluster }) {
  const w = useWords(words);
  const dialog = useDialog<Parameter>();
  const path = { id: of.id ?? 0 };
  const subject = dialog.subject;
  const name = subject?.name ?? '';
  const change = useAction('put', PATH, {
    done: fill(w.changed, name),
    quiet: true,
    refreshes: [PATH, HISTORY],
    then: dialog.hide,
  });
  const columns = useColumns(of, (p) => dialog.show('edit', p));
  const first: Change = { value: subject?.currentValue?.values?.[0] ?? '', where: 'CLUSTER' };
  const table = () => (
    <ServerTable
      path={PATH}
      input={{ path }}
      paged={false}
      find={(p) => `${p.name ?? ''} ${p.description ?? ''}`}
      columns={columns}
      rowKey="name"
      label={w.parameters}
      expand={of.engine === 'SEEKDB' ? undefined : (p) => <Places of={p} />}
    />
  );
  return (
    <>
      <WithHistory list={table} history={() => <History cluster={path.id} />} />
      <FormDrawer<{ changes: Change[] }>
        open={dialog.is('edit')}
        title={name}
        initial={{ changes: [first] }}
        running={change.running}
        error={change.error}
        onClose={() => {
          change.reset();
          dialog.hide();
        }}
        onSubmit={({ changes }) => change.run({ path, body: changes.map((c) => wishOf(name, c)) })}
      >
        {subject === undefined ? null : <ScopeRows of={of} parameter={subject} />}
      </FormDrawer>
    </>
  );
}
