// SPDX-License-Identifier: Apache-2.0
// What a reader should know about the server itself, in the bar above the pages: nothing moves when it comes or goes.
import { WarningOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { ask } from '../api/call';
import { useMissing } from '../api/reach';
import { useWords } from '../words';

const words = {
  away: ['The server does not answer. This goes on by itself when it does.', '服务器暂无响应，恢复后将自动继续。'],
} as const;

/** A single answer that is missing is nothing to speak of: another node gives it. */
const QUIET_MS = 1000,
  ASK_MS = 1000;

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

export function Notices() {
  const w = useWords(words);
  const away = useAway();
  return (
    <div role="status" className="notices">
      {away ? (
        <span className="notice">
          <WarningOutlined aria-hidden /> {w.away}
        </span>
      ) : null}
    </div>
  );
}
