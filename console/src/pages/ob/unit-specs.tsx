// SPDX-License-Identifier: Apache-2.0
import { Button, Flex, InputNumber, Input } from 'antd';

import type { Body, Row } from '../../api/types';
import { DeleteDialog } from '../../parts/delete-dialog';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { PageHead } from '../../parts/page-head';
import { IfMay } from '../../parts/permission-guard';
import { RowActions } from '../../parts/row-actions';
import { type Column, ServerTable } from '../../parts/server-table';
import { rounded } from '../../parts/size';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  title: ['Unit specifications', 'Unit 规格'],
  fresh: ['New specification', '新建规格'],
  cpuRange: ['CPU (cores)', 'CPU（核）'],
  memoryRange: ['Memory (GB)', '内存（GB）'],
  maxCpu: ['Most CPU', '最大 CPU'],
  minCpu: ['Least CPU', '最小 CPU'],
  maxMemory: ['Most memory', '最大内存'],
  minMemory: ['Least memory', '最小内存'],
  minHelp: ['Empty: the same', '留空则与最大值相同'],
  kind: ['Kind', '类型'],
  SYSTEM: ['Came with OCP', '内置'],
  CUSTOM: ['Made here', '自定义'],
} as const;

const PATH = '/api/v2/ob/unitSpecs';
type Spec = Row<typeof PATH>;
type NewSpec = Body<'post', typeof PATH>;

const range = (least: number | undefined, most: number | undefined) =>
  least === most ? rounded(most) : `${rounded(least)} - ${rounded(most)}`;

function SpecFields() {
  const w = useWords(words);
  return (
    <>
      <Field name="name" label={w.name} required>
        <Input maxLength={128} autoFocus autoComplete="off" />
      </Field>
      <Flex gap={16}>
        <Field name="maxCpuCoreCount" label={w.maxCpu} required>
          <InputNumber min={0.5} step={0.5} />
        </Field>
        <Field name="minCpuCoreCount" label={w.minCpu} extra={w.minHelp}>
          <InputNumber min={0.5} step={0.5} />
        </Field>
      </Flex>
      <Flex gap={16}>
        <Field name="maxMemorySize" label={w.maxMemory} required>
          <InputNumber min={1} precision={0} suffix="GB" />
        </Field>
        <Field name="minMemorySize" label={w.minMemory} extra={w.minHelp}>
          <InputNumber min={1} precision={0} suffix="GB" />
        </Field>
      </Flex>
    </>
  );
}

export default function UnitSpecs() {
  const w = useWords(words);
  const dialog = useDialog<Spec>();
  const subject = dialog.subject;
  const create = useAction('post', PATH, { quiet: true, refreshes: [PATH], then: dialog.hide });
  const columns: Column<Spec>[] = [
    { title: w.name, dataIndex: 'name', sort: true },
    {
      title: w.cpuRange,
      dataIndex: 'maxCpuCoreCount',
      sort: true,
      render: (s) => range(s.minCpuCoreCount, s.maxCpuCoreCount),
    },
    {
      title: w.memoryRange,
      dataIndex: 'maxMemorySize',
      sort: true,
      render: (s) => range(s.minMemorySize, s.maxMemorySize),
    },
    { title: w.kind, dataIndex: 'type', sort: true, render: (s) => (s.type === 'SYSTEM' ? w.SYSTEM : w.CUSTOM) },
    {
      title: w.actions,
      fixed: 'end',
      render: (s) => (
        <RowActions
          actions={[
            {
              label: w.remove,
              danger: true,
              needs: 'CLUSTER:*:TENANT:*:DELETE',
              hidden: s.type === 'SYSTEM',
              onClick: () => dialog.show('remove', s),
            },
          ]}
        />
      ),
    },
  ];
  const kinds = ['SYSTEM', 'CUSTOM'] as const;
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="CLUSTER:*:TENANT:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.fresh}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable
        path={PATH}
        columns={columns}
        rowKey="id"
        label={w.title}
        filters={[
          { name: 'name', label: w.name },
          { name: 'type', label: w.kind, options: kinds.map((k) => ({ value: k, label: w[k] })) },
        ]}
      />
      <FormDrawer<NewSpec>
        open={dialog.is('create')}
        title={w.fresh}
        running={create.running}
        error={create.error}
        onClose={() => {
          create.reset();
          dialog.hide();
        }}
        onSubmit={(v) => {
          const { minCpuCoreCount, minMemorySize, ...rest } = v; // an emptied number is null
          create.run({
            body: { ...rest, minCpuCoreCount: minCpuCoreCount ?? undefined, minMemorySize: minMemorySize ?? undefined },
          });
        }}
      >
        <SpecFields />
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path="/api/v2/ob/unitSpecs/{specId}"
        input={{ path: { specId: subject?.id ?? 0 } }}
        name={subject?.name ?? ''}
        onClose={dialog.hide}
      />
    </>
  );
}
