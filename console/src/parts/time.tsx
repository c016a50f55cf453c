// SPDX-License-Identifier: Apache-2.0
import { useCallback } from 'react';

import { useLanguage } from '../words';

/** Writes a time of the API in the reader's zone. */
export function useTime() {
  const { language } = useLanguage();
  return useCallback(
    (iso: string | undefined) =>
      iso === undefined ? '' : new Date(iso).toLocaleString(language === 'zh' ? 'zh-CN' : 'en-GB', { hour12: false }),
    [language],
  );
}

export function Time({ at }: { at: string | undefined }) {
  const time = useTime();
  return at === undefined ? '-' : <time dateTime={at}>{time(at)}</time>;
}
