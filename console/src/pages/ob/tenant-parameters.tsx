// SPDX-License-Identifier: Apache-2.0
// Parameters and system variables of a tenant.
import { Tag, Typography } from 'antd';

import type { Row } from '../../api/types';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { RowActions } from '../../parts/row-actions';
import { type Column, ServerTable } from '../../parts/server-table';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { useHistoryColumns, useRangeText, ValueInput, WithHistory } from './parameter-value';
import { type Of, tenantNeeds, tenantPath } from './tenant-of';
import { ob } from './words';

const words = {
  ...ob,
  range: ['Possible values', '取值范围'],
  kind: ['Kind', '类型'],
  variable: ['variable', '系统变量'],
  parameter: ['parameter', '参数'],
  changed: ['{0} was changed', '{0} 已修改'],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/parameters';
const HISTORY = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/parameterHistories';
type Parameter = Row<typeof PATH>;

function History({ of }: { of: Of }) {
  const w = useWords(words);
  const columns = useHistoryColumns();
  return (
    <ServerTable
      path={HISTORY}
      input={{ path: tenantPath(of) }}
      columns={columns}
      rowKey="id"
      label={w.history}
      prefix="h."
      filters={[{ name: 'name', label: w.name }]}
    />
  );
}

export function TenantParameters({ of }: { of: Of }) {
  const w = useWords(words);
  const dialog = useDialog<Parameter>();
  const rangeText = useRangeText();
  const subject = dialog.subject;
  const name = subject?.name ?? '';
  const path = tenantPath(of);
  const change = useAction('put', PATH, {
    done: fill(w.changed, name),
    quiet: true,
    refreshes: [PATH, HISTORY],
    then: dialog.hide,
  });
  const columns: Column<Parameter>[] = [
    {
      title: w.name,
      dataIndex: 'name',
      sort: true,
      width: 340,
      render: (p) => (
        <>
          <Typography.Text strong>{p.name}</Typography.Text> {p.readonly === true ? <Tag>{w.readonly}</Tag> : null}
          <div className="quiet">{p.description}</div>
        </>
      ),
    },
    {
      title: w.kind,
      dataIndex: 'parameterType',
      sort: true,
      render: (p) => (p.parameterType === 'OB_SYSTEM_VARIABLE' ? w.variable : w.parameter),
    },
    { title: w.value, width: 200, render: (p) => <span className="breaks">{p.currentValue}</span> },
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
              needs: tenantNeeds(of, 'UPDATE'),
              hidden: p.readonly === true,
              onClick: () => dialog.show('edit', p),
            },
          ]}
        />
      ),
    },
  ];
  const table = () => (
    <ServerTable
      path={PATH}
      input={{ path }}
      paged={false}
      find={(p) => `${p.name ?? ''} ${p.description ?? ''}`}
      columns={columns}
      rowKey={(p) => `${p.parameterType ?? ''} ${p.name ?? ''}`}
      label={w.parameters}
    />
  );
  return (
    <>
      <WithHistory list={table} history={() => <History of={of} />} />
      <FormDrawer<{ value: string }>
        open={dialog.is('edit')}
        title={name}
        initial={{ value: subject?.currentValue }}
        running={change.running}
        error={change.error}
        onClose={() => {
          change.reset();
          dialog.hide();
        }}
        onSubmit={({ value }) =>
          change.run({ path, body: [{ name, value: value as never, parameterType: subject?.parameterType }] })
        }
      >
        <p>{subject?.description}</p>
        <Field name="value" label={w.value} extra={rangeText(subject?.valueRange)}>
          <ValueInput range={subject?.valueRange} autoFocus />
        </Field>
      </FormDrawer>
    </>
  );
}
