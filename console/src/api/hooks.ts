// SPDX-License-Identifier: Apache-2.0
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';

import { useLanguage } from '../words';
import { type Answer, answerOf, ApiError } from './call';
import type { Data, Input, PathOf } from './types';

/** How often is asked for what is old, or what a server could not give. */
const HEAL_MS = 3000;

/** What a GET gives; `stale` when it is shown although the latest attempt failed, or when the server itself gave it from memory;
    `dataUpdatedAt` is when it was true. */
export function useGet<P extends PathOf<'get'>>(
  path: P,
  input: Input<'get', P>,
  options: { enabled?: boolean; everyMs?: number | ((data: Data<'get', P> | undefined) => number | undefined) } = {},
) {
  const { everyMs: every } = options;
  const { language } = useLanguage(); // texts of the server come in the reader's language
  const query = useQuery<Answer<Data<'get', P>>, ApiError>({
    queryKey: [path, input, language],
    queryFn: ({ signal }) => answerOf('get', path, input, { signal }),
    enabled: options.enabled ?? true,
    refetchInterval: ({ state }) => {
      const ill = state.data?.ageMs !== undefined || state.error?.isBusy === true;
      const everyMs = typeof every === 'function' ? every(state.data?.data) : every;
      return ill ? Math.min(HEAL_MS, everyMs ?? HEAL_MS) : (everyMs ?? false);
    },
    placeholderData: keepPreviousData,
  });
  const { data: answer, isPending, error, refetch, dataUpdatedAt } = query;
  const ageMs = answer?.ageMs;
  return {
    data: answer?.data,
    isPending,
    error,
    refetch,
    stale: answer !== undefined && (error !== null || ageMs !== undefined),
    dataUpdatedAt: dataUpdatedAt - (ageMs ?? 0),
  };
}

/** Makes everything that was read from paths that begin so be read anew. */
export function useRefresh() {
  const client = useQueryClient();
  return (...prefixes: string[]) =>
    client.invalidateQueries({ predicate: (q) => prefixes.some((p) => String(q.queryKey[0]).startsWith(p)) });
}
