// SPDX-License-Identifier: Apache-2.0
// What a step has written, as it writes it. It follows the end unless somebody has scrolled back.
import { useEffect, useRef } from 'react';

import { useGet } from '../../api/hooks';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { useWords } from '../../words';
import { isActive, type Step } from './model';
import { taskWords } from './words';

const words = {
  ...taskWords,
  noLog: ['This step has written nothing yet.', '该子任务暂无日志。'],
} as const;

const NEAR = 24; // pixels from the end

function LogText({ text }: { text: string }) {
  const w = useWords(words);
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (box.current !== null && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <pre
      className="step-log"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label={w.log}
      onScroll={({ currentTarget: e }) => {
        follows.current = e.scrollTop + e.clientHeight > e.scrollHeight - NEAR;
      }}
    >
      {text === '' ? w.noLog : text}
    </pre>
  );
}

/* As the server gives it when it is asked. */
function AskedLog({ task, step }: { task: number; step: Step }) {
  const path = { taskInstanceId: task, subtaskInstanceId: step.id ?? 0 };
  const log = useGet(
    '/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log',
    { path },
    { everyMs: isActive(step) ? 1000 : undefined },
  );
  const { refetch } = log;
  useEffect(() => void refetch(), [step.state, step.runTime, refetch]); // its last lines
  if (log.data === undefined)
    return log.error === null ? <Loading /> : <ErrorView error={log.error} onRetry={() => void log.refetch()} />;
  return <LogText text={log.data.log ?? ''} />;
}

/** `told`: what the server has told of it without being asked. */
export function StepLog({ task, step, told }: { task: number; step: Step; told: string | undefined }) {
  return told === undefined ? <AskedLog task={task} step={step} /> : <LogText text={told} />;
}
