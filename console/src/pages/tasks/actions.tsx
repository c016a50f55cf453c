// SPDX-License-Identifier: Apache-2.0
// What may be done with a task that has failed.
import { Button } from 'antd';

import { ConfirmTyped } from '../../parts/confirm-typed';
import { IfMay } from '../../parts/permission-guard';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { isBroken, isOver, type Task } from './model';
import { taskWords } from './words';

const words = {
  ...taskWords,
  retryTask: ['Retry', '重试'],
  retried: ['The task goes on', '任务已继续执行'],
  rollback: ['Roll back', '回滚'],
  rollbackTitle: ['Roll back {0}?', '回滚 {0}？'],
  rollbackText: [
    'What its steps have done is undone, the last one first. The task cannot be continued afterwards.',
    '将按相反的顺序撤销子任务已完成的工作，之后该任务不能继续执行。',
  ],
  rollingBack: ['The task is being rolled back', '任务正在回滚'],
} as const;

export function TaskActions({ of }: { of: Task }) {
  const w = useWords(words);
  const dialog = useDialog();
  const path = { taskInstanceId: of.id ?? 0 };
  const refreshes = ['/api/v2/tasks'];
  const retry = useAction('post', '/api/v2/tasks/instances/{taskInstanceId}/retry', { done: w.retried, refreshes });
  const rollback = useAction('post', '/api/v2/tasks/instances/{taskInstanceId}/rollback', {
    done: w.rollingBack,
    quiet: true,
    refreshes,
    then: dialog.hide,
  });
  const steps = of.subtasks ?? [];
  if (of.status !== 'FAILED') return null;
  const back = of.operation === 'ROLLBACK' || of.prohibitRollback === true;
  return (
    <IfMay needs={`TASK:${path.taskInstanceId}:UPDATE|CLUSTER:${of.cluster?.id ?? 0}:UPDATE`}>
      {back || steps.every((s) => !isOver(s) && !isBroken(s)) ? null : (
        <Button danger onClick={() => dialog.show('rollback')}>
          {w.rollback}
        </Button>
      )}
      {steps.some(isBroken) ? (
        <Button type="primary" loading={retry.running} onClick={() => retry.run({ path })}>
          {w.retryTask}
        </Button>
      ) : null}
      <ConfirmTyped
        open={dialog.is('rollback')}
        title={fill(w.rollbackTitle, of.name ?? '')}
        word="confirm"
        running={rollback.running}
        error={rollback.error}
        onConfirm={() => rollback.run({ path })}
        onClose={() => {
          rollback.reset();
          dialog.hide();
        }}
      >
        {w.rollbackText}
      </ConfirmTyped>
    </IfMay>
  );
}
