// SPDX-License-Identifier: Apache-2.0
// What a reader should know about the server itself, in the bar above the pages: nothing moves when it comes or goes.
import { WarningOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { ask } from '../api/call';
import { useGet } from '../api/hooks';
import { useMissing } from '../api/reach';
import { useWords } from '../words';

const words = {
  noLeader: [
    'No node leads: background work pauses, everything else works.',
    '当前没有主节点：后台任务暂停，其他功能正常。',
  ],
  away: ['The server does not answer. This goes on by itself when it does.', '服务器暂无响应，恢复后将自动继续。'],
} as const;

/** A single answer that is missing is nothing to speak of: another node gives it. */
const QUIET_MS = 1000,
  ASK_MS = 1000;
/** An election takes less than a second. */
const LOOK_MS = 2000;

/** Asks while nobody answers; then reads anew what could not be read. True once a reader should know. */
function useAway() {
  const since = useMissing();
  const client = useQueryClient();
  const [told, setTold] = useState<number>();
  useEffect(() => {
    if (since === undefined) return;
    const tell = setTimeout(() => setTold(since), QUIET_MS);
    const asking = setInterval(() => void ask().catch(() => undefined), ASK_MS * (1 + Math.random() / 2));
    return () => {
      clearTimeout(tell);
      clearInterval(asking);
      void client.refetchQueries({ type: 'active', predicate: (q) => q.state.status === 'error' });
    };
  }, [since, client]);
  return since !== undefined && told === since;
}

/** Nobody leads as the node that answers knows, twice in a row. */
function useLeaderless() {
  const { data, dataUpdatedAt } = useGet('/members', {}, { everyMs: LOOK_MS });
  const members = data?.contents ?? [];
  const none = members.length > 0 && members.every((m) => m.leader !== true);
  const [since, setSince] = useState<number>();
  if (none !== (since !== undefined)) setSince(none ? dataUpdatedAt : undefined);
  return none && since !== undefined && dataUpdatedAt > since;
}

export function Notices() {
  const w = useWords(words);
  const away = useAway();
  const leaderless = useLeaderless();
  const text = away ? w.away : leaderless ? w.noLeader : undefined;
  return (
    <div role="status" className="notices">
      {text === undefined ? null : (
        <span className="notice">
          <WarningOutlined aria-hidden /> {text}
        </span>
      )}
    </div>
  );
}
