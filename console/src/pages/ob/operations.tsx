// SPDX-License-Identifier: Apache-2.0
// What is done with a cluster, its zones and its servers: each says what will happen and wants a word, or asks for hosts.
import { Checkbox } from 'antd';
import { useState } from 'react';

import { ConfirmTyped } from '../../parts/confirm-typed';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, say, useLanguage, useWords } from '../../words';
import { type Growth, GrowthDrawer, isGrowth } from './growth';
import { type Operation, rowOf } from './operation-rows';
import { ob } from './words';

const words = { ...ob, begun: ['It has begun', '任务已开始'], title: ['{0} {1}?', '{0} {1}？'] } as const;

const BASE = '/api/v2/ob/clusters/{id}';

/** What an operation is about, and how people call that. */
export interface Subject {
  operation: Operation;
  name: string;
  zone?: string;
  servers?: number[];
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
    restartZone: useAction('post', `${BASE}/zones/{zoneName}/restart`, options),
    deleteZone: useAction('delete', `${BASE}/zones/{zoneName}`, options),
    stopServer: useAction('post', `${BASE}/servers/{serverId}/stop`, options),
    startServer: useAction('post', `${BASE}/servers/{serverId}/start`, options),
    restartServer: useAction('post', `${BASE}/servers/{serverId}/restart`, options),
    deleteServers: useAction('post', `${BASE}/servers/batchDelete`, options),
  };
  const run = ({ operation, zone = '', servers = [] }: Subject, force: boolean) => {
    const whole = { id: cluster },
      ofZone = { id: cluster, zoneName: zone },
      ofServer = { id: cluster, serverId: servers[0] ?? 0 };
    const starts: Record<Operation, () => void> = {
      stopCluster: () => calls.stopCluster.run({ path: whole }),
      startCluster: () => calls.startCluster.run({ path: whole }),
      restartCluster: () => calls.restartCluster.run({ path: whole, body: { force } }),
      deleteCluster: () => calls.deleteCluster.run({ path: whole }),
      stopZone: () => calls.stopZone.run({ path: ofZone }),
      startZone: () => calls.startZone.run({ path: ofZone }),
      restartZone: () => calls.restartZone.run({ path: ofZone }),
      deleteZone: () => calls.deleteZone.run({ path: ofZone }),
      stopServer: () => calls.stopServer.run({ path: ofServer, body: { force } }),
      startServer: () => calls.startServer.run({ path: ofServer }),
      restartServer: () => calls.restartServer.run({ path: ofServer, body: { force } }),
      deleteServers: () => calls.deleteServers.run({ path: whole, body: { servers } }),
    };
    starts[operation]();
  };
  return { calls, run };
}

/** `ask(subject)` opens the dialog of an operation, `dialog` holds them; `then` runs when one has begun. */
export function useOperations(cluster: number, then?: () => void) {
  const w = useWords(words);
  const { language } = useLanguage();
  const shown = useDialog<Subject | Growth>();
  const [force, setForce] = useState(false);
  const done = () => {
    shown.hide();
    then?.();
  };
  const { calls, run } = useCalls(cluster, done);
  const subject = shown.subject === undefined || isGrowth(shown.subject) ? undefined : shown.subject;
  const growth = shown.subject !== undefined && isGrowth(shown.subject) ? shown.subject : undefined;
  const row = subject && rowOf(subject.operation);
  const call = subject && calls[subject.operation];
  const confirm = (
    <ConfirmTyped
      open={shown.is('confirm')}
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
  const ask = (of: Subject | Growth) => {
    setForce(false);
    shown.show(isGrowth(of) ? 'growth' : 'confirm', of);
  };
  const dialog = (
    <>
      {confirm}
      <GrowthDrawer cluster={cluster} of={growth} open={shown.is('growth')} onDone={done} onClose={shown.hide} />
    </>
  );
  return { ask, dialog };
}

export type Ask = ReturnType<typeof useOperations>['ask'];
