// SPDX-License-Identifier: Apache-2.0
import { Button, Drawer, Table } from 'antd';
import { useState } from 'react';
import { useParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Data } from '../api/types';
import { DetailCard } from '../parts/detail-card';
import { ErrorView } from '../parts/error-view';
import { Loading } from '../parts/loading';
import { ObjectPage } from '../parts/object-page';
import { IfMay } from '../parts/permission-guard';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useAction } from '../parts/use-action';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  id: ['Number', '任务 ID'],
  cluster: ['Cluster', '集群'],
  tenant: ['Tenant', '租户'],
  creator: ['Started by', '发起人'],
  executor: ['Node', '执行节点'],
  started: ['Began', '开始时间'],
  finished: ['Ended', '结束时间'],
  steps: ['Steps', '子任务'],
  runs: ['Attempts', '执行次数'],
  log: ['Log', '日志'],
  noLog: ['This step has written nothing yet.', '该子任务暂无日志。'],
  retryTask: ['Retry', '重试'],
  retried: ['The task goes on', '任务已继续执行'],
  basics: ['Basics', '基本信息'],
} as const;

const PATH = '/api/v2/tasks/instances/{taskInstanceId}';
type Step = NonNullable<Data<'get', typeof PATH>['subtasks']>[number];

function StepLog({ task, step, onClose }: { task: number; step: Step | undefined; onClose: () => void }) {
  const w = useWords(words);
  const log = useGet(
    '/api/v2/tasks/instances/{taskInstanceId}/subtasks/{subtaskInstanceId}/log',
    { path: { taskInstanceId: task, subtaskInstanceId: step?.id ?? 0 } },
    { enabled: step !== undefined, everyMs: step?.status === 'RUNNING' ? 2000 : undefined },
  );
  return (
    <Drawer open={step !== undefined} title={`${w.log}: ${step?.name ?? ''}`} size={720} onClose={onClose}>
      {log.error === null ? null : <ErrorView error={log.error} onRetry={() => void log.refetch()} />}
      {log.data === undefined ? log.error === null && <Loading /> : <pre tabIndex={0}>{log.data.log || w.noLog}</pre>}
    </Drawer>
  );
}

export default function Task() {
  const w = useWords(words);
  const id = Number(useParams().id);
  const [running, setRunning] = useState(true);
  const task = useGet(PATH, { path: { taskInstanceId: id } }, { everyMs: running ? 2000 : undefined });
  const [step, setStep] = useState<Step>();
  const retry = useAction('post', '/api/v2/tasks/instances/{taskInstanceId}/retry', {
    done: w.retried,
    refreshes: ['/api/v2/tasks/instances'],
  });
  const isRunning = task.data?.status === 'RUNNING';
  if (task.data !== undefined && isRunning !== running) setRunning(isRunning);
  return (
    <ObjectPage
      got={task}
      title={(t) => t.name}
      tags={(t) => <StatusTag status={t.status} />}
      actions={(t) =>
        t.status === 'FAILED' ? (
          <IfMay needs="TASK:*:UPDATE">
            <Button type="primary" loading={retry.running} onClick={() => retry.run({ path: { taskInstanceId: id } })}>
              {w.retryTask}
            </Button>
          </IfMay>
        ) : null
      }
    >
      {(t) => (
        <>
          <DetailCard
            title={w.basics}
            details={[
              { label: w.id, value: t.id },
              { label: w.creator, value: t.creator?.name },
              { label: w.cluster, value: t.cluster?.name },
              { label: w.tenant, value: t.tenant?.name },
              { label: w.started, value: <Time at={t.startTime} /> },
              { label: w.finished, value: <Time at={t.finishTime} /> },
              { label: w.executor, value: t.executor },
            ]}
          />
          <h2 style={{ fontSize: 14 }}>{w.steps}</h2>
          <Table<Step>
            aria-label={w.steps}
            size="middle"
            rowKey="id"
            pagination={false}
            scroll={{ x: 'max-content' }}
            dataSource={t.subtasks ?? []}
            columns={[
              { title: '#', dataIndex: 'seriesId' },
              { title: w.name, dataIndex: 'name' },
              { title: w.description, dataIndex: 'description' },
              { title: w.status, render: (_, s) => <StatusTag status={s.status} /> },
              { title: w.runs, dataIndex: 'runTime' },
              { title: w.started, render: (_, s) => <Time at={s.startTime} /> },
              { title: w.finished, render: (_, s) => <Time at={s.finishTime} /> },
              {
                title: w.actions,
                render: (_, s) => (
                  <Button type="link" size="small" onClick={() => setStep(s)}>
                    {w.log}
                  </Button>
                ),
              },
            ]}
          />
          <StepLog task={id} step={step} onClose={() => setStep(undefined)} />
        </>
      )}
    </ObjectPage>
  );
}
