// SPDX-License-Identifier: Apache-2.0
// One task: its steps as a graph and as a list, each with its log, and what may be done when one has failed.
import { Card, Progress } from 'antd';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import { DetailCard } from '../parts/detail-card';
import { ObjectPage } from '../parts/object-page';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useWords } from '../words';
import { TaskActions } from './tasks/actions';
import { TaskGraph } from './tasks/graph';
import { between, isOver, type Step, TASK, type Task, taskStateOf } from './tasks/model';
import { Reasons } from './tasks/reasons';
import { StepDrawer } from './tasks/step-drawer';
import { useTaskStream } from './tasks/stream';
import { StepTable } from './tasks/step-table';
import { taskWords } from './tasks/words';

const words = {
  ...taskWords,
  basics: ['Basics', '基本信息'],
  progress: ['Steps done', '进度'],
} as const;

const LIVE_MS = 1000,
  REST_MS = 10000;

function Basics({ of: t }: { of: Task }) {
  const w = useWords(words);
  const steps = t.subtasks ?? [];
  const over = steps.filter(isOver).length;
  const text = `${over} / ${steps.length}`;
  return (
    <DetailCard
      title={w.basics}
      details={[
        { label: w.id, value: t.id },
        { label: w.creator, value: t.creator?.name },
        {
          label: w.cluster,
          value:
            t.cluster === undefined ? undefined : <Link to={`/cluster/${t.cluster.id ?? 0}`}>{t.cluster.name}</Link>,
        },
        { label: w.tenant, value: t.tenant?.name },
        { label: w.started, value: <Time at={t.startTime} /> },
        { label: w.finished, value: <Time at={t.finishTime} /> },
        { label: w.took, value: between(t.startTime, t.finishTime) },
        { label: w.executor, value: t.executor },
        {
          label: w.progress,
          value: (
            <div style={{ width: 200 }}>
              <Progress
                aria-label={`${w.progress}: ${text}`}
                percent={steps.length === 0 ? 0 : (over / steps.length) * 100}
                size="small"
                status="normal"
                format={() => text}
              />
            </div>
          ),
        },
      ]}
    />
  );
}

export default function TaskPage() {
  const w = useWords(words);
  const id = Number(useParams().id);
  const [params, setParams] = useSearchParams();
  const [running, setRunning] = useState(false);
  const { live, lines } = useTaskStream(id, running);
  const got = useGet(
    TASK,
    { path: { taskInstanceId: id } },
    { everyMs: (t) => (t?.status === 'RUNNING' && !live ? LIVE_MS : REST_MS) },
  );
  const isRunning = got.data?.status === 'RUNNING';
  if (got.data !== undefined && isRunning !== running) setRunning(isRunning);
  const chosen = Number(params.get('step')) || undefined;
  const show = (step: Step | undefined) =>
    setParams(
      (old) => {
        if (step === undefined) old.delete('step');
        else old.set('step', String(step.id));
        return old;
      },
      { replace: true },
    );
  return (
    <ObjectPage
      got={got}
      title={(t) => t.name}
      tags={(t) => <StatusTag status={taskStateOf(t)} />}
      actions={(t) => <TaskActions of={t} />}
    >
      {(t) => (
        <>
          {t.status === 'FAILED' ? <Reasons steps={t.subtasks ?? []} onOpen={show} /> : null}
          <Basics of={t} />
          <Card title={<h2 className="card-title">{w.steps}</h2>} size="small" style={{ marginBottom: 16 }}>
            <TaskGraph steps={t.subtasks ?? []} onOpen={show} />
          </Card>
          <StepTable steps={t.subtasks ?? []} onOpen={show} />
          <StepDrawer
            task={t}
            step={t.subtasks?.find((s) => s.id === chosen)}
            log={chosen === undefined ? undefined : lines.text(chosen)}
            onShow={show}
          />
        </>
      )}
    </ObjectPage>
  );
}
