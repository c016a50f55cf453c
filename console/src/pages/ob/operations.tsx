// SPDX-License-Identifier: Apache-2.0
// What stops, starts and ends a cluster, its zones and its servers: each says what will happen and wants a word.
import { Button, Checkbox, Dropdown } from 'antd';
import { DownOutlined } from '@ant-design/icons';
import { useState } from 'react';

import type { Data } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { useMay } from '../../session';
import { fill, type Pair, say, useLanguage, useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  more: ['More', '更多'],
  begun: ['It has begun', '任务已开始'],
  title: ['{0} {1}?', '{0} {1}？'],
} as const;

const BASE = '/api/v2/ob/clusters/{id}';

interface OperationRow {
  label: Pair;
  text: Pair;
  word: 'confirm' | 'delete';
  danger: boolean;
  force?: Pair;
}

const OPERATIONS = {
  stopCluster: {
    label: ['Stop', '停止'],
    text: [
      'All its observers are stopped: no tenant of it is served until it is started again.',
      '集群的所有 OBServer 进程将停止，再次启动之前所有租户不可用。',
    ],
    word: 'confirm',
    danger: true,
  },
  startCluster: {
    label: ['Start', '启动'],
    text: ['The observers that do not run are started.', '将启动未运行的 OBServer 进程。'],
    word: 'confirm',
    danger: false,
  },
  restartCluster: {
    label: ['Restart', '重启'],
    text: [
      'Zone after zone is taken out of service, restarted and taken back; the cluster goes on serving where the majority allows it.',
      '将逐个 Zone 停止服务、重启并恢复；满足多数派时集群持续提供服务。',
    ],
    word: 'confirm',
    danger: true,
    force: ['All observers at once: the service is interrupted', '同时重启所有 OBServer：服务将中断'],
  },
  deleteCluster: {
    label: ['Delete', '删除'],
    text: [
      'Its observers are stopped and ALL ITS DATA IS DELETED from its hosts. This cannot be undone. A cluster that was taken over can only be moved out.',
      '将停止所有 OBServer，并从主机上删除全部数据，此操作不可撤销。接管的集群只能迁出。',
    ],
    word: 'delete',
    danger: true,
  },
  stopZone: {
    label: ['Stop', '停止'],
    text: [
      'The zone is taken out of service; its processes run on. It is refused where a majority would be lost.',
      '该 Zone 将停止服务，进程继续运行。若会失去多数派，则操作被拒绝。',
    ],
    word: 'confirm',
    danger: true,
  },
  startZone: {
    label: ['Start', '启动'],
    text: ['The zone is taken into service again.', '该 Zone 将恢复服务。'],
    word: 'confirm',
    danger: false,
  },
  stopServer: {
    label: ['Stop', '停止'],
    text: [
      'The server is taken out of service; its process runs on. It is refused where a majority would be lost.',
      '该 OBServer 将停止服务，进程继续运行。若会失去多数派，则操作被拒绝。',
    ],
    word: 'confirm',
    danger: true,
    force: ['Although a majority may be lost: the service may be interrupted', '即使可能失去多数派：服务可能中断'],
  },
  startServer: {
    label: ['Start', '启动'],
    text: ['The server is taken into service again.', '该 OBServer 将恢复服务。'],
    word: 'confirm',
    danger: false,
  },
} satisfies Record<string, OperationRow>;

export type Operation = keyof typeof OPERATIONS;
const rowOf = (operation: Operation): OperationRow => OPERATIONS[operation];

/** What an operation is about, and how people call that. */
export interface Subject {
  operation: Operation;
  name: string;
  zone?: string;
  server?: number;
}

/* One call for each, with what it takes. */
function useCalls(cluster: number, then: () => void) {
  const w = useWords(words);
  const options = { done: w.begun, quiet: true, refreshes: ['/api/v2/ob', '/api/v2/tasks'], then };
  const calls = {
    stopCluster: useAction('post', `${BASE}/stop`, options),
    startCluster: useAction('post', `${BASE}/start`, options),
    restartCluster: useAction('post', `${BASE}/restart`, options),
    deleteCluster: useAction('delete', BASE, options),
    stopZone: useAction('post', `${BASE}/zones/{zoneName}/stop`, options),
    startZone: useAction('post', `${BASE}/zones/{zoneName}/start`, options),
    stopServer: useAction('post', `${BASE}/servers/{serverId}/stop`, options),
    startServer: useAction('post', `${BASE}/servers/{serverId}/start`, options),
  };
  const run = ({ operation, zone = '', server = 0 }: Subject, force: boolean) => {
    const whole = { id: cluster },
      ofZone = { id: cluster, zoneName: zone },
      ofServer = { id: cluster, serverId: server };
    const starts: Record<Operation, () => void> = {
      stopCluster: () => calls.stopCluster.run({ path: whole }),
      startCluster: () => calls.startCluster.run({ path: whole }),
      restartCluster: () => calls.restartCluster.run({ path: whole, body: { force } }),
      deleteCluster: () => calls.deleteCluster.run({ path: whole }),
      stopZone: () => calls.stopZone.run({ path: ofZone }),
      startZone: () => calls.startZone.run({ path: ofZone }),
      stopServer: () => calls.stopServer.run({ path: ofServer, body: { force } }),
      startServer: () => calls.startServer.run({ path: ofServer }),
    };
    starts[operation]();
  };
  return { calls, run };
}

/** `ask(subject)` opens the dialog, `dialog` is it. */
export function useOperations(cluster: number) {
  const w = useWords(words);
  const { language } = useLanguage();
  const shown = useDialog<Subject>();
  const [force, setForce] = useState(false);
  const { calls, run } = useCalls(cluster, shown.hide);
  const subject = shown.subject;
  const row = subject && rowOf(subject.operation);
  const call = subject && calls[subject.operation];
  const dialog = (
    <ConfirmTyped
      open={shown.is('ask')}
      title={fill(w.title, row === undefined ? '' : say(row.label, language), subject?.name ?? '')}
      word={row?.word}
      running={call?.running}
      error={call?.error}
      onConfirm={() => subject && run(subject, force)}
      onClose={() => {
        call?.reset();
        shown.hide();
      }}
    >
      {row === undefined ? null : say(row.text, language)}
      {row?.force === undefined ? null : (
        <>
          <br />
          <Checkbox checked={force} onChange={(e) => setForce(e.target.checked)} style={{ marginTop: 8 }}>
            {say(row.force, language)}
          </Checkbox>
        </>
      )}
    </ConfirmTyped>
  );
  const ask = (of: Subject) => {
    setForce(false);
    shown.show('ask', of);
  };
  return { ask, dialog };
}

export type Ask = ReturnType<typeof useOperations>['ask'];

/** Stop or start of a zone or server, as its state allows. */
export function StopOrStart({
  of,
  status,
  ask,
  cluster,
}: {
  of: Omit<Subject, 'operation'>;
  status?: string;
  ask: Ask;
  cluster: number;
}) {
  const { language } = useLanguage();
  const may = useMay();
  const kind = of.zone === undefined ? 'Server' : 'Zone';
  const operation: Operation | undefined =
    status === 'STOPPED' ? `start${kind}` : status === 'RUNNING' ? `stop${kind}` : undefined;
  if (operation === undefined || !may(`CLUSTER:${cluster}:UPDATE`)) return null;
  const label = say(rowOf(operation).label, language);
  return (
    <Button type="link" size="small" aria-label={`${label} ${of.name}`} onClick={() => ask({ ...of, operation })}>
      {label}
    </Button>
  );
}

/** The menu of what is done with the cluster as a whole. */
export function ClusterMenu({ of }: { of: Data<'get', '/api/v2/ob/clusters/{id}'> }) {
  const w = useWords(words);
  const { language } = useLanguage();
  const may = useMay();
  const id = of.id ?? 0;
  const { ask, dialog } = useOperations(id);
  const operations: Operation[] = ['startCluster', 'stopCluster', 'restartCluster', 'deleteCluster'];
  const items = operations
    .filter((o) => may(`CLUSTER:${id}:${o === 'deleteCluster' ? 'DELETE' : 'UPDATE'}`))
    .map((key) => ({ key, label: say(rowOf(key).label, language), danger: rowOf(key).danger }));
  if (items.length === 0) return null;
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{ items, onClick: ({ key }) => ask({ operation: key as Operation, name: of.name ?? '' }) }}
      >
        <Button aria-haspopup="menu">
          {w.more} <DownOutlined aria-hidden />
        </Button>
      </Dropdown>
      {dialog}
    </>
  );
}
