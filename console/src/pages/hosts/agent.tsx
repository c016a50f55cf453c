// SPDX-License-Identifier: Apache-2.0
// The agent of a host and its processes.
import { Alert, Button, Space, Table } from 'antd';

import { useGet } from '../../api/hooks';
import type { Data } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { DetailCard } from '../../parts/detail-card';
import { Empty } from '../../parts/empty';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { IfMay } from '../../parts/permission-guard';
import { RowActions } from '../../parts/row-actions';
import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { agentWords } from './words';

const words = {
  ...agentWords,
  version: ['Version', '版本'],
  home: ['Directory', '安装目录'],
  seen: ['Answered last', '最近应答'],
  certificate: ['Certificate until', '证书有效期至'],
  processes: ['Processes of the agent', 'Agent 进程'],
  process: ['Process', '进程'],
  pid: ['pid', 'PID'],
  restarts: ['Restarts', '重启次数'],
  note: ['It says', '说明'],
  restart: ['Restart', '重启'],
  stop: ['Stop', '停止'],
  upgrade: ['Upgrade', '升级'],
  reinstall: ['Reinstall', '重新安装'],
  noAgent: ['It has no agent yet', '尚未安装 Agent'],
  title: ['{0} the agent of {1}?', '{0} {1} 的 Agent？'],
  titleOf: ['{0} {1}?', '{0} {1}？'],
  reinstallText: [
    'The agent of this version of OCP is installed again over SSH, with a new certificate. Databases that run there go on.',
    '将通过 SSH 重新安装当前版本的 Agent 并签发新证书，主机上的数据库不受影响。',
  ],
  processText: [
    'The guard of the agent starts it again when it should run.',
    '需要运行的进程将由 Agent 守护进程再次启动。',
  ],
} as const;

const PATH = '/api/v2/compute/hosts/{hostId}/agent';
type Agent = Data<'get', typeof PATH>;
type Process = NonNullable<Agent['processes']>[number];
type Verb = 'restart' | 'stop' | 'upgrade' | 'reinstall';

function AgentActions({ host, address }: { host: number; address: string }) {
  const w = useWords(words);
  const dialog = useDialog();
  const options = {
    done: w.begun,
    quiet: true,
    refreshes: ['/api/v2/compute/hosts', '/api/v2/tasks'],
    then: dialog.hide,
  };
  const restart = useAction('post', `${PATH}/restart`, options);
  const stop = useAction('post', `${PATH}/stop`, options);
  const upgrade = useAction('post', `${PATH}/upgrade`, options);
  const reinstall = useAction('post', `${PATH}/reinstall`, options);
  const actions = { restart, stop, upgrade, reinstall };
  const texts = { restart: w.restartText, stop: w.stopText, upgrade: w.upgradeText, reinstall: w.reinstallText };
  const verbs: Verb[] = ['restart', 'stop', 'upgrade', 'reinstall'];
  const verb = verbs.find((v) => dialog.is(v));
  return (
    <IfMay needs={`HOST:${host}:UPDATE`}>
      <Space>
        {verbs.map((v) => (
          <Button key={v} size="small" danger={v === 'stop'} onClick={() => dialog.show(v)}>
            {w[v]}
          </Button>
        ))}
      </Space>
      <ConfirmTyped
        open={verb !== undefined}
        title={fill(w.title, verb === undefined ? '' : w[verb], address)}
        word="confirm"
        running={verb !== undefined && actions[verb].running}
        error={verb === undefined ? null : actions[verb].error}
        onConfirm={() => verb && actions[verb].run({ path: { hostId: host } })}
        onClose={() => {
          if (verb !== undefined) actions[verb].reset();
          dialog.hide();
        }}
      >
        {verb === undefined ? null : texts[verb]}
      </ConfirmTyped>
    </IfMay>
  );
}

function Processes({ host, of }: { host: number; of: Process[] }) {
  const w = useWords(words);
  const dialog = useDialog<Process>();
  const options = { quiet: true, refreshes: ['/api/v2/compute/hosts'], then: dialog.hide };
  const restart = useAction('post', `${PATH}/processes/{agentProcessId}/restart`, options);
  const stop = useAction('post', `${PATH}/processes/{agentProcessId}/stop`, options);
  const action = dialog.is('stop') ? stop : restart;
  const path = { hostId: host, agentProcessId: dialog.subject?.id ?? 0 };
  return (
    <>
      <Table<Process>
        aria-label={w.processes}
        size="middle"
        rowKey="id"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={of}
        locale={{ emptyText: <Empty /> }}
        style={{ marginBottom: 16 }}
        columns={[
          { title: w.process, dataIndex: 'alias' },
          {
            title: w.status,
            render: (_, p) => <StatusTag status={p.state} as={p.state === 'RUNNING' ? 'success' : undefined} />,
          },
          { title: w.pid, render: (_, p) => (p.pid === undefined || p.pid === 0 ? '-' : p.pid) },
          { title: w.user, dataIndex: 'user' },
          { title: w.ports, dataIndex: 'ports' },
          { title: w.restarts, dataIndex: 'restarts' },
          { title: w.note, render: (_, p) => <div className="narrow breaks">{p.note === '' ? '-' : p.note}</div> },
          {
            title: w.actions,
            fixed: 'right',
            render: (_, p) => (
              <RowActions
                actions={(['restart', 'stop'] as const).map((kind) => ({
                  label: w[kind],
                  danger: kind === 'stop',
                  hidden: p.operable !== true,
                  needs: `HOST:${host}:UPDATE`,
                  onClick: () => dialog.show(kind, p),
                }))}
              />
            ),
          },
        ]}
      />
      <ConfirmTyped
        open={dialog.is('stop') || dialog.is('restart')}
        title={fill(w.titleOf, dialog.is('stop') ? w.stop : w.restart, dialog.subject?.alias ?? '')}
        word="confirm"
        running={action.running}
        error={action.error}
        onConfirm={() => action.run({ path })}
        onClose={() => {
          action.reset();
          dialog.hide();
        }}
      >
        {w.processText}
      </ConfirmTyped>
    </>
  );
}

/** `has`: an agent was installed there. */
export function AgentCard({ host, address, has }: { host: number; address: string; has: boolean }) {
  const w = useWords(words);
  const got = useGet(PATH, { path: { hostId: host } }, { enabled: has, everyMs: 3000 });
  const a = got.data;
  if (!has) return <DetailCard title={w.agent} details={[{ label: w.status, value: w.noAgent }]} />;
  if (a === undefined)
    return got.error === null ? <Loading /> : <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
  return (
    <>
      <DetailCard
        title={w.agent}
        extra={<AgentActions host={host} address={address} />}
        details={[
          { label: w.status, value: <StatusTag status={a.state} /> },
          { label: w.version, value: a.version },
          { label: w.seen, value: <Time at={a.lastAvailableTime} /> },
          { label: w.certificate, value: <Time at={a.certificateExpireTime} /> },
          { label: w.home, value: a.installHome },
          { label: w.ports, value: [a.managerPort, a.monitorPort].filter(Boolean).join(', ') },
        ]}
      />
      {a.problem === undefined || a.problem === '' ? null : (
        <Alert type="warning" showIcon title={a.problem} style={{ marginBottom: 12 }} />
      )}
      <Processes host={host} of={a.processes ?? []} />
    </>
  );
}
