// SPDX-License-Identifier: Apache-2.0
// A list that the server pages, sorts and filters. What is shown stands in the address, so that it can be kept, sent and gone back to.
import { ReloadOutlined } from '@ant-design/icons';
import { Button, Flex, Input, Select, Table, type TableProps } from 'antd';
import type { ColumnType } from 'antd/es/table';
import { cloneElement, type Key, type ReactElement, type ReactNode, useEffect } from 'react';
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
  /** The server sorts by this member; a list that comes whole is sorted here. */
  sort?: boolean;
  render?: (row: T) => ReactNode;
}

/** One filter above the list: a query parameter of the operation. */
export interface Filter {
  name: string;
  label: string;
  options?: { value: string; label: string }[]; // none: text
}

/** Rows that may be ticked, and what a screen reader calls their boxes. */
export interface Selection<T> {
  rows: T[];
  nameOf: (row: T) => string;
  onChange: (rows: T[]) => void;
}

interface Props<P extends PathOf<'get'>> {
  path: P;
  input?: ApiInput<'get', P>;
  columns: Column<Row<P>>[];
  rowKey: (keyof Row<P> & string) | ((row: Row<P>) => string);
  label: string;
  filters?: Filter[];
  /** Lists of REPLY_LIST come whole: what is searched, sorted and paged of them is so here. */
  paged?: boolean;
  /** Text of a row that the search box above a whole list looks into. */
  find?: (row: Row<P>) => string;
  everyMs?: number;
  empty?: ReactNode;
  /** Prefix of its parameters in the address, where a page has several. */
  prefix?: string;
  expand?: (row: Row<P>) => ReactNode;
  selection?: Selection<Row<P>>;
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

/* In numbers where both are, else as people order words: server2 before server10. */
function compare(a: unknown, b: unknown) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''), undefined, { numeric: true });
}

/** How a table shows a selection; the words are those of `common`. */
export function ticks<T extends object>(
  { rows, nameOf, onChange }: Selection<T>,
  key: keyof T,
  w: Record<'select' | 'selectAll', string>,
): TableProps<T>['rowSelection'] {
  return {
    selectedRowKeys: rows.map((row) => row[key] as Key),
    onChange: (_, chosen) => onChange(chosen),
    getCheckboxProps: (row) => ({ 'aria-label': fill(w.select, nameOf(row)) }) as object,
    columnTitle: (box) => cloneElement(box as ReactElement<{ 'aria-label': string }>, { 'aria-label': w.selectAll }),
  };
}

/* Only what is seen is chosen: a row that has gone, or is on another page now, is not. */
function useSeen<T extends object>(selection: Selection<T> | undefined, key: keyof T, rows: T[]) {
  const { rows: chosen = [], onChange } = selection ?? {};
  const keys = new Set(rows.map((row) => row[key]));
  const seen = chosen.filter((row) => keys.has(row[key]));
  const lost = seen.length < chosen.length;
  useEffect(() => {
    if (lost) onChange?.(seen);
  });
}

const HERE = 'find';

export function ServerTable<P extends PathOf<'get'>>(p: Props<P>) {
  type T = Row<P> & object;
  const w = useWords(common);
  const at = useAddress(p.prefix ?? '');
  const paged = p.paged ?? true;
  const number = Number(at.get('page')) || 1,
    size = Number(at.get('size')) || 20,
    sort = at.get('sort');
  const filters = Object.fromEntries((p.filters ?? []).map((f) => [f.name, at.get(f.name)]));
  const wanted = paged ? '' : at.get(HERE).toLowerCase();
  const filtered = wanted !== '' || Object.values(filters).some((v) => v !== '');
  const query = { ...(p.input?.query as object), ...(paged ? { page: number, size, sort } : {}), ...filters };
  const got = useGet(p.path, { ...p.input, query } as ApiInput<'get', P>, { everyMs: p.everyMs });
  const data = got.data as { contents?: T[]; page?: Page } | undefined;
  const [sortBy, direction] = sort.split(',');

  const all = data?.contents ?? [];
  const rows =
    wanted === ''
      ? all
      : all.filter((row) =>
          p
            .find?.(row as Row<P>)
            .toLowerCase()
            .includes(wanted),
        );
  const total = paged ? (data?.page?.totalElements ?? 0) : rows.length;
  useSeen(p.selection as Selection<T> | undefined, p.rowKey as keyof T, rows);

  const columns = p.columns.map((c) => ({
    ...c,
    key: c.dataIndex ?? c.title,
    sorter:
      c.sort === true && (paged || ((a: T, b: T) => compare(a[c.dataIndex as keyof T], b[c.dataIndex as keyof T]))),
    sortOrder: sortBy === c.dataIndex && c.sort === true ? (direction === 'asc' ? 'ascend' : 'descend') : null,
    render: c.render === undefined ? undefined : (_: unknown, row: T) => c.render?.(row as Row<P>),
  })) as ColumnType<T>[];

  return (
    <>
      <Flex gap={8} wrap align="center" style={{ marginBottom: 12 }}>
        {p.find === undefined ? null : (
          <FilterInput
            filter={{ name: HERE, label: w.search }}
            value={at.get(HERE)}
            onChange={(v) => at.set({ [HERE]: v, page: '' })}
          />
        )}
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
      {got.error && !(got.stale && got.error.isAway) ? (
        <div style={{ marginBottom: 12 }}>
          <ErrorView error={got.error} onRetry={() => void got.refetch()} />
        </div>
      ) : null}
      {got.error && data === undefined ? null : (
        <Table<T>
          aria-label={p.label}
          size="middle"
          columns={columns}
          dataSource={rows}
          rowKey={p.rowKey as string}
          loading={got.isPending}
          scroll={{ x: 'max-content' }}
          rowSelection={p.selection && ticks(p.selection as unknown as Selection<T>, p.rowKey as keyof T, w)}
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
            (paged || p.find !== undefined) && {
              current: number,
              pageSize: size,
              total,
              showSizeChanger: true,
              hideOnSinglePage: total <= 20,
              showTotal: (n) => fill(w.rows, n),
            }
          }
        />
      )}
    </>
  );
}
