// SPDX-License-Identifier: Apache-2.0
import { Card, Descriptions } from 'antd';
import type { ReactNode } from 'react';

export interface Detail {
  label: string;
  value: ReactNode;
  span?: number;
}

/** Facts about one object. */
export function DetailCard({ title, extra, details }: { title?: ReactNode; extra?: ReactNode; details: Detail[] }) {
  return (
    <Card title={title} extra={extra} size="small" style={{ marginBottom: 16 }}>
      <Descriptions
        size="small"
        column={{ xs: 1, md: 2, xxl: 3 }}
        items={details.map((d) => ({
          key: d.label,
          label: d.label,
          children: d.value === undefined || d.value === '' ? '-' : d.value,
          span: d.span ?? 1,
        }))}
      />
    </Card>
  );
}
