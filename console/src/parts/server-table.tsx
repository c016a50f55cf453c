// SPDX-License-Identifier: Apache-2.0
// A list that the server pages, sorts and filters. What is shown stands in the address, so that it can be kept, sent and gone back to.
import { ReloadOutlined } from '@ant-design/icons';
import { Button, Flex, Input, Select, Table } from 'antd';
import type { ColumnType } from 'antd/es/table';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Input as ApiInput, Page, PathOf, Row } from '../api/types';
import { fill, useWords } from '../words';
import { common } from '../words.common';
import { Empty } from './empty';
import { ErrorView } from './error-view';
import { StaleTag } from './stale-tag';

export interface Column<T> extends Omit<ColumnType<T>, 'sorter' | 'dataIndex' | 'render' | 'title'> {
  title: string;
  dataIndex?: keyof T & string;
  /** The server sorts by this member. */
  sort?: boolean;
  render?: (row: T) => ReactNode;
}

/** One filter above the list: a query parameter of the operation. */
export interface Filter {
  name: string;
  label: string;
  options?: { value: string; label: string }[]; // none: text
}

interface Props<P extends PathOf<'get'>> {
  path: P;
  input?: ApiInput<'get', P>;
  columns: Column<Row<P>>[];
  rowKey: (keyof Row<P> & string) | ((row: Row<P>) => string);
  label: string;
  filters?: Filter[];
  /** Lists of REPLY_LIST come whole: no page. */
  paged?: boolean;
  everyMs?: number;
  empty?: ReactNode;
  /** Prefix of its parameters in the address, where a page has several. */
  prefix?: string;
  expand?: (row: Row<P>) => ReactNode;
  toolbar?: ReactNode;
}

function useAddress(prefix: string) {
  const [params, setParams] = useSearchParams();
  const get = (name: string) => params.get(prefix + name) ?? '';
  const set = (changes: Record<string, string>) =>
    setParams(
      (old) => {
        for (const [name, value] of Object.entries(changes)) {
          if (value === '') old.delete(prefix + name);
          else old.set(prefix + name, value);
        }
        return old;
      },
      { replace: true },
    );
  return { get, set };
}

function FilterInput({ filter, value, onChange }: { filter: Filter; value: string; onChange: (v: string) => void }) {
  const w = useWords(common);
  if (filter.options === undefined)
    return (
      <Input.Search
        key={value}
        aria-label={filter.label}
        placeholder={filter.label}
        defaultValue={value}
        onSearch={onChange}
        allowClear
        style={{ width: 240 }}
      />
    );
  return (
    <Select
      aria-label={filter.label}
      placeholder={filter.label}
      value={value === '' ? undefined : value}
      onChange={(v?: string) => onChange(v ?? '')}
      options={filter.options}
      allowClear
      style={{ minWidth: 160 }}
      notFoundContent={w.none}
    />
  );
}

export function ServerTable<P extends PathOf<'get'>>(p: Props<P>) {
  type T = Row<P> & object;
  const w = useWords(common);
  const at = useAddress(p.prefix ?? '');
  const paged = p.paged ?? true;
  const number = Number(at.get('page')) || 1,
    size = Number(at.get('size')) || 20,
    sort = at.get('sort');
  const filters = Object.fromEntries((p.filters ?? []).map((f) => [f.name, at.get(f.name)]));
  const filtered = Object.values(filters).some((v) => v !== '');
  const query = { ...(p.input?.query as object), ...(paged ? { page: number, size, sort } : {}), ...filters };
  const got = useGet(p.path, { ...p.input, query } as ApiInput<'get', P>, { everyMs: p.everyMs });
  const data = got.data as { contents?: T[]; page?: Page } | undefined;
  const [sortBy, direction] = sort.split(',');

  const columns = p.columns.map((c) => ({
    ...c,
    key: c.dataIndex ?? c.title,
    sorter: c.sort === true,
    sortOrder: sortBy === c.dataIndex && c.sort === true ? (direction === 'asc' ? 'ascend' : 'descend') : null,
    render: c.render === undefined ? undefined : (_: unknown, row: T) => c.render?.(row as Row<P>),
  })) as ColumnType<T>[];

  return (
    <>
      <Flex gap={8} wrap align="center" style={{ marginBottom: 12 }}>
        {(p.filters ?? []).map((f) => (
          <FilterInput
            key={f.name}
            filter={f}
            value={at.get(f.name)}
            onChange={(v) => at.set({ [f.name]: v, page: '' })}
          />
        ))}
        <StaleTag stale={got.stale} at={got.dataUpdatedAt} />
        <Flex gap={8} style={{ marginLeft: 'auto' }}>
          {p.toolbar}
          <Button
            icon={<ReloadOutlined />}
            aria-label={w.refresh}
            title={w.refresh}
            onClick={() => void got.refetch()}
          />
        </Flex>
      </Flex>
      {got.error ? (
        <div style={{ marginBottom: 12 }}>
          <ErrorView error={got.error} onRetry={() => void got.refetch()} />
        </div>
      ) : null}
      {got.error && data === undefined ? null : (
        <Table<T>
          aria-label={p.label}
          size="middle"
          columns={columns}
          dataSource={data?.contents ?? []}
          rowKey={p.rowKey as string}
          loading={got.isPending}
          scroll={{ x: 'max-content' }}
          expandable={p.expand === undefined ? undefined : { expandedRowRender: (row) => p.expand?.(row as Row<P>) }}
          locale={{
            emptyText: got.isPending ? ' ' : filtered ? <Empty text={w.nothingFound} /> : (p.empty ?? <Empty />),
          }}
          onChange={(page, _, sorter, { action }) => {
            const one = Array.isArray(sorter) ? sorter[0] : sorter;
            at.set({
              page: action !== 'paginate' || page.current === 1 ? '' : String(page.current ?? ''),
              size: page.pageSize === 20 ? '' : String(page.pageSize ?? ''),
              sort: one?.order ? `${String(one.columnKey)},${one.order === 'ascend' ? 'asc' : 'desc'}` : '',
            });
          }}
          pagination={
            paged && {
              current: number,
              pageSize: size,
              total: data?.page?.totalElements ?? 0,
              showSizeChanger: true,
              hideOnSinglePage: (data?.page?.totalElements ?? 0) <= 20,
              showTotal: (n) => fill(w.rows, n),
            }
          }
        />
      )}
    </>
  );
}
