// SPDX-License-Identifier: Apache-2.0
import { Progress } from 'antd';

import { fill, useWords } from '../words';
import { bytes, rounded, share } from './size';

const words = {
  of: ['{0} of {1}', '{0} / {1}'],
  cores: ['{0} of {1} cores', '{0} / {1} 核'],
} as const;

interface Props {
  /** What it is of: CPU, memory... */
  label: string;
  used: number | undefined;
  total: number | undefined;
  /** Cores rather than bytes. */
  cores?: boolean;
  /** It runs out: coloured when little is left. What is merely handed out may be so to the last. */
  runsOut?: boolean;
  width?: number;
}

/** How much of something is used: a bar, with the numbers in words below it. */
export function Usage({ label, used, total, cores = false, runsOut = false, width = 116 }: Props) {
  const w = useWords(words);
  const percent = share(used, total);
  if (percent === undefined) return '-';
  const text = cores ? fill(w.cores, rounded(used), rounded(total)) : fill(w.of, bytes(used), bytes(total));
  return (
    <div style={{ width }}>
      <Progress
        aria-label={`${label}: ${text}`}
        percent={percent}
        size="small"
        status="normal"
        strokeColor={!runsOut || percent < 75 ? undefined : percent < 90 ? '#8f5a00' : '#c5221f'}
        format={(p) => `${p ?? 0}%`}
      />
      <div style={{ color: 'rgba(0,0,0,.62)', fontSize: 12, whiteSpace: 'nowrap' }}>{text}</div>
    </div>
  );
}
