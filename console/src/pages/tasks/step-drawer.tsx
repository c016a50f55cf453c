// SPDX-License-Identifier: Apache-2.0
// One step: how it does, what it has written, and what may be done with it.
import { Alert, Button, Drawer, Space } from 'antd';

import { ConfirmTyped } from '../../parts/confirm-typed';
import { DetailCard } from '../../parts/detail-card';
import { IfMay } from '../../parts/permission-guard';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import {
  between,
  isActive,
  isBroken,
  mayGiveUp,
  mayRetry,
  maySkip,
  mayStop,
  type Step,
  stateOf,
  type Task,
} from './model';
import { StepLog } from './step-log';
import { taskWords } from './words';

const words = {
  ...taskWords,
  after: ['Waits for', '前置子任务'],
  before: ['Then', '后续子任务'],
  limit: ['May take', '超时时间'],
  seconds: ['{0} s', '{0} 秒'],
  retryStep: ['Run it again', '重试子任务'],
  skip: ['Skip', '跳过'],
  stop: ['Stop', '终止'],
  giveUp: ['Give up', '放弃'],
  title: ['{0}: {1}?', '{0}：{1}？'],
  skipText: [
    'The task goes on as if this step had succeeded. What it should have done stays undone.',
    '任务将视该子任务为成功并继续执行，该子任务未完成的工作不会再执行。',
  ],
  stopText: [
    'It is stopped where it is; what it has begun stays half done until it is run again or rolled back.',
    '子任务将在当前位置终止，已开始的工作在重试或回滚之前保持未完成状态。',
  ],
  giveUpText: [
    'It is never run again in this task, and steps that wait for it are not run either.',
    '该子任务在此任务中不再执行，依赖它的子任务也不会执行。',
  ],
  unknownText: [
    'Nobody can tell whether it acted. Look at the target first: run again, it might act a second time.',
    '无法确定该子任务是否已生效。请先检查操作目标，重新执行可能会重复生效。',
  ],
  asked: ['Asked for', '已提交'],
} as const;

const BASE = '/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}';
type Kind = 'retry' | 'skip' | 'stop' | 'giveUp';

function useStepActions(then: () => void) {
  const w = useWords(words);
  const options = { done: w.asked, quiet: true, refreshes: ['/api/v2/tasks'], then };
  const retry = useAction('post', `${BASE}/retry`, options);
  const skip = useAction('post', `${BASE}/skip`, options);
  const cancel = useAction('post', `${BASE}/cancel`, options);
  return { retry, skip, stop: cancel, giveUp: cancel };
}

function StepActions({ task, step }: { task: Task; step: Step }) {
  const w = useWords(words);
  const dialog = useDialog();
  const actions = useStepActions(dialog.hide);
  const path = { taskInstanceId: task.id ?? 0, subtaskInstanceId: step.id ?? 0 };
  const all: { kind: Kind; label: string; text: string; may: boolean; asks: boolean }[] = [
    { kind: 'retry', label: w.retryStep, text: w.unknownText, may: mayRetry(step), asks: step.state === 'UNKNOWN' },
    { kind: 'skip', label: w.skip, text: w.skipText, may: maySkip(step), asks: true },
    { kind: 'stop', label: w.stop, text: w.stopText, may: mayStop(step), asks: true },
    { kind: 'giveUp', label: w.giveUp, text: w.giveUpText, may: mayGiveUp(task, step), asks: true },
  ];
  const asked = all.find((a) => dialog.is(a.kind));
  return (
    <IfMay needs={`TASK:${task.id ?? 0}:UPDATE|CLUSTER:${task.cluster?.id ?? 0}:UPDATE`}>
      <Space>
        {all
          .filter((a) => a.may)
          .map((a) => (
            <Button
              key={a.kind}
              type={a.kind === 'retry' ? 'primary' : 'default'}
              danger={a.kind !== 'retry'}
              loading={actions[a.kind].running}
              onClick={() => (a.asks ? dialog.show(a.kind) : actions[a.kind].run({ path }))}
            >
              {a.label}
            </Button>
          ))}
      </Space>
      <ConfirmTyped
        open={asked !== undefined}
        title={fill(w.title, asked?.label ?? '', step.name ?? '')}
        word="confirm"
        running={asked !== undefined && actions[asked.kind].running}
        error={asked === undefined ? null : actions[asked.kind].error}
        onConfirm={() => asked && actions[asked.kind].run({ path })}
        onClose={() => {
          if (asked !== undefined) actions[asked.kind].reset();
          dialog.hide();
        }}
      >
        {asked?.text}
      </ConfirmTyped>
    </IfMay>
  );
}

interface Props {
  task: Task;
  step: Step | undefined;
  /** Of the step, as far as the server has told it. */
  log: string | undefined;
  onShow: (step: Step | undefined) => void;
}

export function StepDrawer({ task, step, log, onShow }: Props) {
  const w = useWords(words);
  const steps = task.subtasks ?? [];
  const links = (ids: readonly number[] | undefined) =>
    (ids ?? []).length === 0
      ? undefined
      : steps
          .filter((s) => ids?.includes(s.id ?? 0))
          .map((s) => (
            <Button key={s.id} type="link" size="small" style={{ height: 'auto' }} onClick={() => onShow(s)}>
              <span className="breaks">{s.name}</span>
            </Button>
          ));
  return (
    <Drawer open={step !== undefined} title={step?.name} size={720} onClose={() => onShow(undefined)} destroyOnHidden>
      {step === undefined ? null : (
        <>
          {isBroken(step) ? (
            <Alert type="error" showIcon title={step.description} style={{ marginBottom: 12 }} />
          ) : (
            <p>{step.description}</p>
          )}
          <div style={{ marginBottom: 12 }}>
            <StepActions task={task} step={step} />
          </div>
          <DetailCard
            details={[
              { label: w.status, value: <StatusTag status={stateOf(step)} /> },
              { label: w.target, value: step.target },
              { label: w.executor, value: isActive(step) || step.startTime ? step.executor : undefined },
              { label: w.runs, value: step.runTime },
              { label: w.started, value: <Time at={step.startTime} /> },
              { label: w.finished, value: <Time at={step.finishTime} /> },
              { label: w.took, value: between(step.startTime, step.finishTime) },
              { label: w.limit, value: fill(w.seconds, step.timeout ?? 0) },
              { label: w.after, value: links(step.upstreams) },
              { label: w.before, value: links(step.downstreams) },
            ]}
          />
          <StepLog key={step.id} task={task.id ?? 0} step={step} told={log} />
        </>
      )}
    </Drawer>
  );
}
