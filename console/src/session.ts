// SPDX-License-Identifier: Apache-2.0
// Who is logged in, and what they may see.
import { useCallback } from 'react';

import { useGet } from './api/hooks';
import { allows } from './permission';

const ME = '/api/v2/profiles/me';

export function useMe() {
  return useGet(ME, {});
}

/** may('CLUSTER:7:UPDATE') */
export function useMay() {
  const { data } = useMe();
  return useCallback(
    (wanted: string) => allows((data?.roles ?? []).flatMap((r) => r.permissions ?? []), wanted),
    [data],
  );
}
