// SPDX-License-Identifier: Apache-2.0
import { Button, Space } from 'antd';

import { useMay } from '../session';

export interface RowAction {
  label: string;
  onClick: () => void;
  needs?: string;
  danger?: boolean;
  disabled?: boolean;
  loading?: boolean;
  hidden?: boolean;
}

/** What may be done with the object of a row. */
export function RowActions({ actions }: { actions: RowAction[] }) {
  const may = useMay();
  return (
    <Space size={0} wrap>
      {actions
        .filter((a) => a.hidden !== true && (a.needs === undefined || may(a.needs)))
        .map((a) => (
          <Button
            key={a.label}
            type="link"
            size="small"
            danger={a.danger}
            disabled={a.disabled}
            loading={a.loading}
            onClick={a.onClick}
          >
            {a.label}
          </Button>
        ))}
    </Space>
  );
}
