// SPDX-License-Identifier: Apache-2.0
// What is done with several hosts at once.
import { Button } from 'antd';

import { ConfirmTyped } from '../../parts/confirm-typed';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { useMay } from '../../session';
import { fill, useWords } from '../../words';
import { DeleteHosts } from './delete';
import { agentWords } from './words';

const words = {
  ...agentWords,
  restartAgents: ['Restart agents', '重启 Agent'],
  upgradeAgents: ['Upgrade agents', '升级 Agent'],
  stopAgents: ['Stop agents', '停止 Agent'],
  deleteHosts: ['Delete selected', '删除所选'],
  restartTitle: ['Restart the agents of {0} hosts?', '重启 {0} 台主机的 Agent？'],
  upgradeTitle: ['Upgrade the agents of {0} hosts?', '升级 {0} 台主机的 Agent？'],
  stopTitle: ['Stop the agents of {0} hosts?', '停止 {0} 台主机的 Agent？'],
} as const;

const PATH = '/api/v2/compute/hosts';

interface Host {
  id?: number;
  innerIpAddress?: string;
}

interface Props {
  hosts: Host[];
  /** One of them has begun. */
  onDone: () => void;
}

export function BatchActions({ hosts, onDone }: Props) {
  const w = useWords(words);
  const may = useMay();
  const dialog = useDialog<Host[]>(); // what was chosen stays readable while it closes
  const asked = dialog.subject ?? [];
  const options = {
    done: w.begun,
    quiet: true,
    refreshes: [PATH, '/api/v2/tasks'],
    then: () => {
      dialog.hide();
      onDone();
    },
  };
  const restart = useAction('post', `${PATH}/batchRestartAgents`, options);
  const stop = useAction('post', `${PATH}/batchStopAgents`, options);
  const upgrade = useAction('post', `${PATH}/batchUpgradeAgents`, options);
  const ofAgents = [
    { kind: 'restart', label: w.restartAgents, title: w.restartTitle, text: w.restartText, action: restart },
    { kind: 'upgrade', label: w.upgradeAgents, title: w.upgradeTitle, text: w.upgradeText, action: upgrade },
    { kind: 'stop', label: w.stopAgents, title: w.stopTitle, text: w.stopText, action: stop },
  ];
  const verb = ofAgents.find((v) => dialog.is(v.kind));
  const buttons = [
    ...ofAgents.map(({ kind, label }) => ({ kind, label, needs: 'UPDATE', danger: kind === 'stop' })),
    { kind: 'remove', label: w.deleteHosts, needs: 'DELETE', danger: true },
  ];
  return (
    <>
      {buttons
        .filter((b) => may(`HOST:*:${b.needs}`))
        .map((b) => (
          <Button
            key={b.kind}
            danger={b.danger}
            disabled={hosts.length === 0 || !hosts.every((h) => may(`HOST:${h.id ?? 0}:${b.needs}`))}
            onClick={() => dialog.show(b.kind, hosts)}
          >
            {b.label}
          </Button>
        ))}
      <ConfirmTyped
        open={verb !== undefined}
        title={fill(verb?.title ?? '', asked.length)}
        word="confirm"
        running={verb?.action.running}
        error={verb?.action.error}
        onConfirm={() => verb?.action.run({ body: { hostIds: asked.map((h) => h.id ?? 0) } })}
        onClose={() => {
          verb?.action.reset();
          dialog.hide();
        }}
      >
        <span className="chosen">{asked.map((h) => h.innerIpAddress).join(', ')}</span>
        {verb?.text}
      </ConfirmTyped>
      <DeleteHosts open={dialog.is('remove')} hosts={asked} onClose={dialog.hide} onDone={onDone} />
    </>
  );
}
