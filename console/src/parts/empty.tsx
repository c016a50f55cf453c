// SPDX-License-Identifier: Apache-2.0
import { Empty as AntEmpty } from 'antd';
import type { ReactNode } from 'react';

import { useWords } from '../words';
import { common } from '../words.common';

/** Nothing to show, and what to do about it. */
export function Empty({ text, children }: { text?: string; children?: ReactNode }) {
  const w = useWords(common);
  return (
    <AntEmpty image={AntEmpty.PRESENTED_IMAGE_SIMPLE} description={text ?? w.nothing}>
      {children}
    </AntEmpty>
  );
}
