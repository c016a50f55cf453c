// SPDX-License-Identifier: Apache-2.0
import { Alert, Button, Typography } from 'antd';

import type { ApiError } from '../api/call';
import { fill, useWords } from '../words';
import { common } from '../words.common';

/** What the server said, by which numbers its manual and its log know it, and another try. */
export function ErrorView({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const w = useWords(common);
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      title={error.message}
      description={
        error.traceId === '' ? undefined : (
          <span>
            {error.code === 0 ? '' : `${fill(w.code, error.code)}, `}
            {w.trace}: <Typography.Text copyable>{error.traceId}</Typography.Text>
          </span>
        )
      }
      action={
        onRetry === undefined ? undefined : (
          <Button size="small" onClick={onRetry}>
            {w.retry}
          </Button>
        )
      }
    />
  );
}
