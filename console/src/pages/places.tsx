// SPDX-License-Identifier: Apache-2.0
// Regions, IDCs and host types: three lists of names. Each is a page; here is what they share.
import { Button, Input, Select } from 'antd';
import type { ReactNode } from 'react';

import { useGet } from '../api/hooks';
import type { Body, Row } from '../api/types';
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
import { common } from '../words.common';

const words = {
  ...common,
  region: ['Region', '区域'],
  added: ['{0} was created', '{0} 已创建'],
} as const;

type ListPath = '/api/v2/compute/regions' | '/api/v2/compute/idcs' | '/api/v2/compute/hostTypes';
type Place = Row<'/api/v2/compute/idcs'>;
type NewPlace = Body<'post', '/api/v2/compute/idcs'>;

interface Props {
  path: ListPath;
  title: string;
  create: string;
  /** IDCs stand in a region. */
  inRegion?: boolean;
  remove: (place: Place | undefined, dialog: { open: boolean; onClose: () => void }) => ReactNode;
}

function RegionSelect(props: { id?: string; value?: number; onChange?: (v: number) => void }) {
  const regions = useGet('/api/v2/compute/regions', { query: { page: 1, size: 2000 } });
  const options = (regions.data?.contents ?? []).map((r) => ({ value: r.id ?? 0, label: r.name }));
  return <Select {...props} options={options} loading={regions.isPending} showSearch={{ optionFilterProp: 'label' }} />;
}

export function PlacesPage({ path, title, create, inRegion = false, remove }: Props) {
  const w = useWords(words);
  const dialog = useDialog<Place>();
  const add = useAction('post', path as '/api/v2/compute/idcs', {
    done: fill(w.added, title),
    quiet: true,
    refreshes: [path],
    then: dialog.hide,
  });
  const columns: Column<Place>[] = [
    { title: w.name, dataIndex: 'name', sort: true },
    ...(inRegion ? [{ title: w.region, dataIndex: 'regionName' as const }] : []),
    { title: w.description, dataIndex: 'description' },
    { title: w.created, dataIndex: 'createTime', sort: true, render: (r) => <Time at={r.createTime} /> },
    {
      title: w.actions,
      render: (r) => (
        <RowActions
          actions={[{ label: w.remove, danger: true, needs: 'HOST:*:DELETE', onClick: () => dialog.show('remove', r) }]}
        />
      ),
    },
  ];
  return (
    <>
      <PageHead title={title}>
        <IfMay needs="HOST:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {create}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable path={path as '/api/v2/compute/idcs'} columns={columns} rowKey="id" label={title} />
      <FormDrawer<NewPlace>
        open={dialog.is('create')}
        title={create}
        running={add.running}
        error={add.error}
        onClose={() => {
          add.reset();
          dialog.hide();
        }}
        onSubmit={(body) => add.run({ body })}
      >
        <Field name="name" label={w.name} required>
          <Input maxLength={128} autoFocus />
        </Field>
        {inRegion ? (
          <Field name="regionId" label={w.region} required>
            <RegionSelect />
          </Field>
        ) : null}
        <Field name="description" label={w.description}>
          <Input.TextArea rows={3} maxLength={512} />
        </Field>
      </FormDrawer>
      {remove(dialog.subject, { open: dialog.is('remove'), onClose: dialog.hide })}
    </>
  );
}
