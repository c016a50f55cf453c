// SPDX-License-Identifier: Apache-2.0
// What a role allows: a row for each kind of object, or for one object by its number, with a box for each action.
import { Button, Checkbox, Flex, InputNumber, Select, Table } from 'antd';
import { useState } from 'react';

import { useGet } from '../api/hooks';
import { ACTIONS, type Action, toRows, withAction } from '../permission-table';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  object: ['What', '对象'],
  READ: ['Read', '查看'],
  CREATE: ['Create', '新建'],
  UPDATE: ['Change', '修改'],
  DELETE: ['Delete', '删除'],
  oneObject: ['One object alone', '单个对象'],
  kind: ['Kind of object', '对象类型'],
  number: ['Its number', '对象 ID'],
  addRow: ['Add a row', '添加'],
} as const;

interface Props {
  id?: string;
  value?: string[];
  onChange?: (value: string[]) => void;
  readOnly?: boolean;
}

function AddObject({ kinds, onAdd }: { kinds: string[]; onAdd: (scope: string) => void }) {
  const w = useWords(words);
  const [kind, setKind] = useState<string>();
  const [number, setNumber] = useState<number | null>(null);
  const add = () => onAdd(`${kind ?? ''}:${number ?? 0}`);
  return (
    <Flex gap={8} align="center" style={{ marginTop: 8 }}>
      <span>{w.oneObject}</span>
      <Select
        aria-label={w.kind}
        placeholder={w.kind}
        value={kind}
        onChange={setKind}
        style={{ width: 140 }}
        options={kinds.map((k) => ({ value: k, label: k }))}
      />
      <InputNumber
        aria-label={w.number}
        placeholder={w.number}
        min={1}
        precision={0}
        value={number}
        onChange={setNumber}
      />
      <Button onClick={add} disabled={kind === undefined || number === null}>
        {w.addRow}
      </Button>
    </Flex>
  );
}

export function PermissionEditor({ id, value = [], onChange, readOnly = false }: Props) {
  const w = useWords(words);
  const known = useGet('/api/v2/iam/permissions', {});
  const [added, setAdded] = useState<string[]>([]);
  const domains = known.data?.contents ?? [];
  const scopeOf = (d: (typeof domains)[number]) =>
    d.parentDomain === d.domain || !d.parentDomain ? `${d.domain ?? ''}:*` : `${d.parentDomain}:*:${d.domain ?? ''}:*`;
  const rows = toRows(value);
  const general = domains.map((d) => ({ scope: scopeOf(d), description: d.description }));
  const single = [...new Set([...rows.map((r) => r.scope), ...added])].filter(
    (s) => !general.some((g) => g.scope === s),
  );
  const all = [...general, ...single.map((scope) => ({ scope, description: '' }))].filter(
    (r) => !readOnly || rows.some((x) => x.scope === r.scope),
  );
  const has = (scope: string, action: Action) => rows.some((r) => r.scope === scope && r.actions.includes(action));
  return (
    <div id={id}>
      {value
        .filter((v) => !v.includes(':'))
        .map((v) => (
          <p key={v}>
            <code>{v}</code>
          </p>
        ))}
      <Table
        size="small"
        rowKey="scope"
        loading={known.isPending}
        pagination={false}
        dataSource={all}
        columns={[
          {
            title: w.object,
            render: (_, r) => (
              <>
                <code>{r.scope}</code>
                <div style={{ color: 'rgba(0,0,0,.62)' }}>{r.description}</div>
              </>
            ),
          },
          ...ACTIONS.map((action) => ({
            title: w[action],
            width: 80,
            render: (_: unknown, r: { scope: string }) => (
              <Checkbox
                aria-label={`${r.scope} ${w[action]}`}
                checked={has(r.scope, action)}
                disabled={readOnly}
                onChange={(e) => onChange?.(withAction(value, r.scope, action, e.target.checked))}
              />
            ),
          })),
        ]}
      />
      {readOnly ? null : (
        <AddObject
          kinds={domains.filter((d) => !d.parentDomain || d.parentDomain === d.domain).map((d) => d.domain ?? '')}
          onAdd={(scope) => setAdded((old) => [...old, scope])}
        />
      )}
    </div>
  );
}
