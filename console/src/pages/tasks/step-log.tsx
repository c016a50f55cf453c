// SPDX-License-Identifier: Apache-2.0
// What a step has written, as it writes it. It follows the end unless somebody has scrolled back.
import { Button, Flex } from 'antd';
import { useEffect, useRef } from 'react';

import { useGet } from '../../api/hooks';
import { download } from '../../parts/download';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { useWords } from '../../words';
import { isActive, type Step } from './model';
import { taskWords } from './words';

const words = {
  ...taskWords,
  fetch: ['Download', '下载'],
  noLog: ['This step has written nothing yet.', '该子任务暂无日志。'],
} as const;

const PATH = '/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log';
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
  const log = useGet(PATH, { path }, { everyMs: isActive(step) ? 1000 : undefined });
  const { refetch } = log;
  useEffect(() => void refetch(), [step.state, step.runTime, refetch]); // its last lines
  if (log.data === undefined)
    return log.error === null ? <Loading /> : <ErrorView error={log.error} onRetry={() => void log.refetch()} />;
  return <LogText text={log.data.log ?? ''} />;
}

/* All that the server keeps of it, as a file. */
function Download({ task, step }: { task: number; step: Step }) {
  const w = useWords(words);
  const id = step.id ?? 0;
  const log = useGet(PATH, { path: { taskInstanceId: task, subtaskInstanceId: id } }, { enabled: false });
  const fetch = async () => {
    const { data } = await log.refetch();
    if (data !== undefined) download(new Blob([data.data.log ?? ''], { type: 'text/plain' }), `task-${task}-${id}.log`);
  };
  return (
    <>
      <Button size="small" onClick={() => void fetch()}>
        {w.fetch}
      </Button>
      {log.error === null ? null : <ErrorView error={log.error} />}
    </>
  );
}

/** `told`: what the server has told of it without being asked. */
export function StepLog({ task, step, told }: { task: number; step: Step; told: string | undefined }) {
  const w = useWords(words);
  return (
    <>
      <Flex gap={12} align="baseline">
        <h2 style={{ fontSize: 14 }}>{w.log}</h2>
        <Download task={task} step={step} />
      </Flex>
      {told === undefined ? <AskedLog task={task} step={step} /> : <LogText text={told} />}
    </>
  );
}
