// SPDX-License-Identifier: Apache-2.0
// Form items that say where observers go: the room of a zone, and hosts that nobody uses.
import { Select, type SelectProps } from 'antd';

import { useGet } from '../../api/hooks';

const EVERYTHING = { query: { page: 1, size: 2000 } };
const search = { optionFilterProp: 'label' };

export function IdcSelect(p: SelectProps<string>) {
  const idcs = useGet('/api/v2/compute/idcs', EVERYTHING);
  const rooms = (idcs.data?.contents ?? []).map((i) => ({ value: i.name ?? '', label: i.name }));
  return <Select {...p} options={rooms} showSearch={search} />;
}

/** Hosts that nobody uses; those of one room when it is known. */
export function FreeHostSelect<V>({ idc, ...p }: SelectProps<V> & { idc: string | undefined }) {
  const hosts = useGet('/api/v2/compute/hosts', { query: { page: 1, size: 2000, status: ['AVAILABLE'] } });
  const free = (hosts.data?.contents ?? []).filter((h) => idc === undefined || h.idcName === idc);
  const options = free.map((h) => ({ value: h.id ?? 0, label: h.innerIpAddress }));
  return <Select<V> {...p} options={options as SelectProps<V>['options']} showSearch={search} />;
}
