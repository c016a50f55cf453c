// SPDX-License-Identifier: Apache-2.0
// Form items that say where observers go: the room of a zone, and hosts that nobody uses.
import { Select, type SelectProps } from 'antd';

import { useGet } from '../../api/hooks';
import { useWords } from '../../words';

const words = {
  noHost: ['No available host in this IDC: add one first', '该机房没有空闲主机，请先添加主机'],
} as const;

const EVERYTHING = { query: { page: 1, size: 2000 } };
const search = { optionFilterProp: 'label' };

export function IdcSelect(p: SelectProps<string>) {
  const idcs = useGet('/api/v2/compute/idcs', EVERYTHING);
  const rooms = (idcs.data?.contents ?? []).map((i) => ({ value: i.name ?? '', label: i.name }));
  return <Select {...p} options={rooms} showSearch={search} />;
}

interface FreeHosts {
  idc: string | undefined;
  /** Ids of those that were chosen elsewhere in the same form. */
  taken?: readonly number[];
}

/** Hosts that nobody uses; those of one room when it is known. */
export function FreeHostSelect<V>({ idc, taken = [], ...p }: SelectProps<V> & FreeHosts) {
  const w = useWords(words);
  const hosts = useGet('/api/v2/compute/hosts', { query: { page: 1, size: 2000, status: ['AVAILABLE'] } });
  const free = (hosts.data?.contents ?? []).filter((h) => idc === undefined || h.idcName === idc);
  const options = free.map((h) => ({ value: h.id ?? 0, label: h.innerIpAddress, disabled: taken.includes(h.id ?? 0) }));
  return (
    <Select<V>
      {...p}
      options={options as SelectProps<V>['options']}
      showSearch={search}
      notFoundContent={hosts.isPending ? null : w.noHost}
    />
  );
}
