// SPDX-License-Identifier: Apache-2.0
// The field for a parameter's value, after what the kernel says a value may be; and the history of parameters.
import { AutoComplete, Segmented } from 'antd';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router-dom';

import type { Row } from '../../api/types';
import type { Column } from '../../parts/server-table';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { fill, useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  between: ['{0} to {1}', '{0} ~ {1}'],
  least: ['at least {0}', '不小于 {0}'],
  most: ['at most {0}', '不大于 {0}'],
  when: ['When', '修改时间'],
  before: ['Before', '修改前'],
  after: ['After', '修改后'],
  scope: ['Where', '生效范围'],
  target: ['Which', '对象'],
  outcome: ['Outcome', '结果'],
  reason: ['Reason', '原因'],
  by: ['By', '修改人'],
  view: ['View', '视图'],
} as const;

export interface ValueRange {
  type?: string;
  allowedValues?: string;
  minValue?: string;
  maxValue?: string;
}

/** "1 to 100", in words; "" when the kernel says nothing. */
export function useRangeText() {
  const w = useWords(words);
  return (range: ValueRange | undefined) => {
    const { type = '', minValue = '', maxValue = '' } = range ?? {};
    const limits =
      minValue !== '' && maxValue !== ''
        ? fill(w.between, minValue, maxValue)
        : minValue !== ''
          ? fill(w.least, minValue)
          : maxValue !== ''
            ? fill(w.most, maxValue)
            : '';
    return [type, limits].filter(Boolean).join(', ');
  };
}

/** Any text; the values that are known are offered. */
export function ValueInput(p: {
  id?: string;
  value?: string;
  onChange?: (v: string) => void;
  range: ValueRange | undefined;
  autoFocus?: boolean;
}) {
  const { range, ...rest } = p;
  const listed = (range?.allowedValues ?? '').split(',').map((v) => v.trim());
  const offered = range?.type === 'BOOL' ? ['True', 'False'] : listed.filter((v) => v !== '');
  return <AutoComplete {...rest} options={offered.map((value) => ({ value }))} />;
}

type Change = Row<'/api/v2/ob/clusters/{id}/parameterHistories'>;

export function useHistoryColumns(): Column<Change>[] {
  const w = useWords(words);
  return [
    { title: w.when, dataIndex: 'changeTime', sort: true, render: (c) => <Time at={c.changeTime} /> },
    { title: w.name, dataIndex: 'name', sort: true },
    { title: w.before, dataIndex: 'oldValue' },
    { title: w.after, dataIndex: 'newValue' },
    { title: w.scope, dataIndex: 'scope' },
    { title: w.target, dataIndex: 'target' },
    { title: w.outcome, render: (c) => <StatusTag status={c.outcome} /> },
    { title: w.reason, dataIndex: 'reason' },
    { title: w.by, dataIndex: 'username' },
  ];
}

/** Parameters, or what became of changes of them; which one stands in the address. */
export function WithHistory({ list, history }: { list: () => ReactNode; history: () => ReactNode }) {
  const w = useWords(words);
  const [params, setParams] = useSearchParams();
  const shown = params.get('view') === 'history' ? 'history' : 'list';
  return (
    <>
      <Segmented
        aria-label={w.view}
        value={shown}
        onChange={(to) => setParams(to === 'history' ? { view: to } : {}, { replace: true })}
        options={[
          { value: 'list', label: w.parameters },
          { value: 'history', label: w.history },
        ]}
        style={{ marginBottom: 12 }}
      />
      {shown === 'history' ? history() : list()}
    </>
  );
}
