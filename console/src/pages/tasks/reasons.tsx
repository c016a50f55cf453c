// SPDX-License-Identifier: Apache-2.0
// Why a task stands: the steps that failed, each with its reason and the way to it.
import { Alert, Button } from 'antd';

import { fill, useWords } from '../../words';
import { isBroken, type Step } from './model';
import { taskWords } from './words';

const words = {
  ...taskWords,
  failed: ['Steps that failed: {0}', '失败的子任务：{0}'],
  andMore: ['and {0} more', '另有 {0} 个'],
} as const;

const MOST = 5;

export function Reasons({ steps, onOpen }: { steps: readonly Step[]; onOpen: (step: Step) => void }) {
  const w = useWords(words);
  const broken = steps.filter(isBroken);
  if (broken.length === 0) return null;
  const list = (
    <ul className="reasons">
      {broken.slice(0, MOST).map((s) => (
        <li key={s.id}>
          <Button type="link" size="small" onClick={() => onOpen(s)}>
            <span className="breaks">{s.name}</span>
          </Button>
          <span className="breaks">{s.description}</span>
        </li>
      ))}
      {broken.length > MOST ? <li>{fill(w.andMore, broken.length - MOST)}</li> : null}
    </ul>
  );
  return (
    <Alert
      type="error"
      role="status"
      showIcon
      title={fill(w.failed, broken.length)}
      description={list}
      style={{ marginBottom: 16 }}
    />
  );
}
