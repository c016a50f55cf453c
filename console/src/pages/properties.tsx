// SPDX-License-Identifier: Apache-2.0
// System parameters: what concerns the whole OCP, with who changed what.
import { Drawer, Input, Select, Switch, Tag, Typography } from 'antd';

import type { Row } from '../api/types';
import { ConfirmTyped } from '../parts/confirm-typed';
import { Field } from '../parts/field';
import { FormDrawer } from '../parts/form-drawer';
import { PageHead } from '../parts/page-head';
import { RowActions } from '../parts/row-actions';
import { type Column, ServerTable } from '../parts/server-table';
import { Time } from '../parts/time';
import { useAction } from '../parts/use-action';
import { useDialog } from '../parts/use-dialog';
import { fill, useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['System parameters', '系统参数'],
  value: ['Value', '当前值'],
  preset: ['Default', '默认值'],
  set: ['changed', '已修改'],
  restart: ['after a restart', '重启生效'],
  pending: ['waits for a restart', '等待重启'],
  by: ['By', '修改人'],
  history: ['History', '修改历史'],
  before: ['Before', '修改前'],
  after: ['After', '修改后'],
  when: ['When', '修改时间'],
  reset: ['Back to default', '恢复默认'],
  resetTitle: ['Back to the default of {0}?', '恢复 {0} 的默认值？'],
  resetText: ['It becomes {0}.', '将恢复为 {0}。'],
  keyword: ['Name or description', '名称或描述'],
  saved: ['{0} was changed', '{0} 已修改'],
  empty: ['empty', '空'],
} as const;

const PATH = '/api/v2/config/properties';
const ONE = '/api/v2/config/properties/{key}';
const HISTORY = '/api/v2/config/properties/{key}/histories';
type Property = Row<typeof PATH>;
type Change = Row<typeof HISTORY>;

function ValueInput(props: {
  property: Property | undefined;
  id?: string;
  value?: string;
  onChange?: (v: string) => void;
}) {
  const { property, id, value, onChange } = props;
  if (property?.enumValues !== undefined)
    return (
      <Select
        id={id}
        value={value}
        onChange={onChange}
        options={property.enumValues.map((v) => ({ value: v, label: v }))}
      />
    );
  if (value === 'true' || value === 'false')
    return <Switch id={id} checked={value === 'true'} onChange={(on) => onChange?.(String(on))} />;
  if ((property?.value ?? '').length > 60)
    return <Input.TextArea id={id} value={value} rows={8} onChange={(e) => onChange?.(e.target.value)} autoFocus />;
  return <Input id={id} value={value} onChange={(e) => onChange?.(e.target.value)} autoFocus />;
}

function History({ name }: { name: string }) {
  const w = useWords(words);
  const text = (v: string | undefined) => v ?? <i>{w.preset}</i>;
  const columns: Column<Change>[] = [
    { title: w.when, dataIndex: 'changeTime', sort: true, render: (c) => <Time at={c.changeTime} /> },
    { title: w.before, render: (c) => text(c.oldValue) },
    { title: w.after, render: (c) => text(c.newValue) },
    { title: w.by, dataIndex: 'operatorName' },
  ];
  return (
    <ServerTable
      path={HISTORY}
      input={{ path: { key: name } }}
      columns={columns}
      rowKey="id"
      label={w.history}
      prefix="h"
    />
  );
}

export default function Properties() {
  const w = useWords(words);
  const dialog = useDialog<Property>();
  const subject = dialog.subject;
  const key = subject?.key ?? '';
  const options = { done: fill(w.saved, key), quiet: true, refreshes: [PATH], then: dialog.hide };
  const change = useAction('patch', ONE, options);
  const reset = useAction('delete', ONE, options);
  const columns: Column<Property>[] = [
    {
      title: w.name,
      width: 380,
      render: (p) => (
        <>
          <Typography.Text strong>{p.key}</Typography.Text>{' '}
          {p.changed === true ? <Tag color="blue">{w.set}</Tag> : null}
          {p.pendingRestart === true ? (
            <Tag color="warning">{w.pending}</Tag>
          ) : p.needRestart === true ? (
            <Tag>{w.restart}</Tag>
          ) : null}
          <div style={{ color: 'rgba(0,0,0,.62)', whiteSpace: 'normal' }}>{p.description}</div>
        </>
      ),
    },
    { title: w.value, width: 220, render: (p) => <Shown value={p.value} unit={p.unit} empty={w.empty} /> },
    { title: w.preset, width: 220, render: (p) => <Shown value={p.defaultValue} unit={p.unit} empty={w.empty} /> },
    { title: w.updated, render: (p) => <Time at={p.updateTime} /> },
    {
      title: w.actions,
      render: (p) => (
        <RowActions
          actions={[
            {
              label: w.edit,
              needs: 'PROPERTY:*:UPDATE',
              hidden: p.editable === false,
              onClick: () => dialog.show('edit', p),
            },
            {
              label: w.reset,
              needs: 'PROPERTY:*:UPDATE',
              hidden: p.changed !== true,
              onClick: () => dialog.show('reset', p),
            },
            { label: w.history, onClick: () => dialog.show('history', p) },
          ]}
        />
      ),
    },
  ];
  const close = () => {
    change.reset();
    reset.reset();
    dialog.hide();
  };
  return (
    <>
      <PageHead title={w.title} />
      <ServerTable
        path={PATH}
        paged={false}
        columns={columns}
        rowKey="key"
        label={w.title}
        filters={[{ name: 'keyword', label: w.keyword }]}
      />
      <FormDrawer<{ value: string }>
        open={dialog.is('edit')}
        title={key}
        initial={{ value: subject?.value }}
        running={change.running}
        error={change.error}
        onClose={close}
        onSubmit={({ value }) => change.run({ path: { key }, body: { value } })}
      >
        <p>{subject?.description}</p>
        <Field name="value" label={w.value} extra={subject?.unit}>
          <ValueInput property={subject} />
        </Field>
      </FormDrawer>
      <ConfirmTyped
        open={dialog.is('reset')}
        title={fill(w.resetTitle, key)}
        word="confirm"
        running={reset.running}
        error={reset.error}
        onConfirm={() => reset.run({ path: { key } })}
        onClose={close}
      >
        {fill(w.resetText, subject?.defaultValue ?? w.empty)}
      </ConfirmTyped>
      <Drawer open={dialog.is('history')} title={`${w.history}: ${key}`} size={760} onClose={dialog.hide}>
        {key === '' ? null : <History name={key} />}
      </Drawer>
    </>
  );
}

function Shown({ value, unit, empty }: { value: string | undefined; unit: string | undefined; empty: string }) {
  if (value === undefined || value === '') return <i>{empty}</i>;
  return (
    <span style={{ whiteSpace: 'normal', overflowWrap: 'anywhere' }}>
      {value} {unit}
    </span>
  );
}
