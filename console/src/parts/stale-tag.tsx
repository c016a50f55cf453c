// SPDX-License-Identifier: Apache-2.0
import { Tag } from 'antd';

import { fill, useWords } from '../words';
import { common } from '../words.common';
import { useTime } from './time';

/** Shown beside data that could not be read anew. */
export function StaleTag({ stale, at }: { stale: boolean; at: number }) {
  const w = useWords(common);
  const time = useTime();
  return stale ? (
    <Tag color="warning" role="status">
      {fill(w.stale, time(new Date(at).toISOString()))}
    </Tag>
  ) : null;
}
