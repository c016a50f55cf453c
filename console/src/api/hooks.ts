// SPDX-License-Identifier: Apache-2.0
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';

import { useLanguage } from '../words';
import { ApiError, call } from './call';
import type { Data, Input, PathOf } from './types';

/** What a GET gives; `stale` when it is shown although the latest attempt failed. */
export function useGet<P extends PathOf<'get'>>(
  path: P,
  input: Input<'get', P>,
  options: { enabled?: boolean; everyMs?: number } = {},
) {
  const { language } = useLanguage(); // texts of the server come in the reader's language
  const query = useQuery<Data<'get', P>, ApiError>({
    queryKey: [path, input, language],
    queryFn: ({ signal }) => call('get', path, input, { signal }),
    enabled: options.enabled ?? true,
    refetchInterval: options.everyMs ?? false,
    placeholderData: keepPreviousData,
  });
  return { ...query, stale: query.isError && query.data !== undefined };
}

/** Makes everything that was read from paths that begin so be read anew. */
export function useRefresh() {
  const client = useQueryClient();
  return (...prefixes: string[]) =>
    client.invalidateQueries({ predicate: (q) => prefixes.some((p) => String(q.queryKey[0]).startsWith(p)) });
}
