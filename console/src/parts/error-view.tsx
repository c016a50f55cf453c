// SPDX-License-Identifier: Apache-2.0
import { Alert, Button, Typography } from 'antd';

import type { ApiError } from '../api/call';
import { useWords } from '../words';
import { common } from '../words.common';

/** What the server said, by which number its log knows it, and another try. */
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
