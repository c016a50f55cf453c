// SPDX-License-Identifier: Apache-2.0
// What is known of a cluster that cannot be asked is old, and says so.
import { Alert, Tag } from 'antd';

import type { Data } from '../../api/types';
import { useTime } from '../../parts/time';
import { fill, useWords } from '../../words';

const words = {
  old: ['Old', '数据陈旧'],
  seen: ['What is shown here is of {0}.', '此处显示的是 {0} 的数据。'],
  since: ['It cannot be asked since {0}', '自 {0} 起无法访问'],
  never: ['It cannot be asked at present', '当前无法访问'],
} as const;

type Cluster = Pick<
  Data<'get', '/api/v2/ob/clusters/{id}'>,
  'stale' | 'lastSeenTime' | 'unreachableTime' | 'failToQueryFromObReason'
>;

export function AwayTag({ of }: { of: Cluster | undefined }) {
  const w = useWords(words);
  return of?.stale === true ? <Tag color="warning">{w.old}</Tag> : null;
}

/** Why, since when, and of when what is shown is. */
export function AwayNote({ of }: { of: Cluster }) {
  const w = useWords(words);
  const time = useTime();
  if (of.stale !== true) return null;
  const since = of.unreachableTime === undefined ? w.never : fill(w.since, time(of.unreachableTime));
  const seen = of.lastSeenTime === undefined ? '' : fill(w.seen, time(of.lastSeenTime));
  return (
    <Alert
      type="warning"
      showIcon
      role="status"
      title={since}
      description={[of.failToQueryFromObReason, seen].filter(Boolean).join(' ')}
      style={{ marginBottom: 16 }}
    />
  );
}
