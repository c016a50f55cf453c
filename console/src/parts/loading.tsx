// SPDX-License-Identifier: Apache-2.0
import { Spin } from 'antd';

import { useWords } from '../words';
import { common } from '../words.common';

export function Loading() {
  const w = useWords(common);
  return (
    <div role="status" style={{ display: 'grid', placeItems: 'center', minHeight: 240 }}>
      <Spin />
      <span className="sr-only">{w.loading}</span>
    </div>
  );
}
