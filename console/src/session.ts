// SPDX-License-Identifier: Apache-2.0
// Who is logged in, and what they may see.
import { useCallback } from 'react';

import { useGet } from './api/hooks';
import { allows } from './permission';

const SESSION = '/api/v2/session';

export function useMe() {
  return useGet(SESSION, {});
}

/** may('CLUSTER:7:UPDATE') */
export function useMay() {
  const { data } = useMe();
  return useCallback((wanted: string) => allows(data?.permissions ?? [], wanted), [data]);
}
