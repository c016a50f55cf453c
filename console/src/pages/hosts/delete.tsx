// SPDX-License-Identifier: Apache-2.0
// Deleting a host, or several at once: a task that removes their agents first.
import { Checkbox } from 'antd';
import { useState } from 'react';

import { ConfirmTyped } from '../../parts/confirm-typed';
import { useAction } from '../../parts/use-action';
import { fill, useWords } from '../../words';
import { hostWords } from './words';

const words = {
  ...hostWords,
  text: [
    'Their agents are stopped and removed there, and the hosts are forgotten here. A host that is in use is refused, with who uses it.',
    '将停止并卸载主机上的 Agent，并删除主机记录。使用中的主机不能删除，届时将提示使用者。',
  ],
  force: ['They are gone for good: nothing is removed there', '主机已永久下线：不在主机上执行清理'],
  title: ['Delete {0}?', '删除 {0}？'],
  many: ['Delete {0} hosts?', '删除 {0} 台主机？'],
  begun: ['They are being deleted', '正在删除主机'],
} as const;

interface Props {
  open: boolean;
  hosts: { id?: number; innerIpAddress?: string }[];
  onClose: () => void;
  /** It has begun. */
  onDone?: () => void;
}

export function DeleteHosts({ open, hosts, onClose, onDone }: Props) {
  const w = useWords(words);
  const [force, setForce] = useState(false);
  const close = () => {
    setForce(false);
    onClose();
  };
  const options = {
    done: w.begun,
    quiet: true,
    refreshes: ['/api/v2/compute/hosts', '/api/v2/tasks'],
    then: () => {
      close();
      onDone?.();
    },
  };
  const one = useAction('delete', '/api/v2/compute/hosts/{hostId}', options);
  const many = useAction('post', '/api/v2/compute/hosts/batchDelete', options);
  const ids = hosts.map((h) => h.id ?? 0);
  const action = ids.length === 1 ? one : many;
  const query = { force };
  const run = () =>
    ids.length === 1
      ? one.run({ path: { hostId: ids[0] ?? 0 }, query })
      : many.run({ query, body: { hostIdList: ids } });
  const addresses = hosts.map((h) => h.innerIpAddress ?? '');
  return (
    <ConfirmTyped
      open={open}
      title={ids.length === 1 ? fill(w.title, addresses[0] ?? '') : fill(w.many, ids.length)}
      running={action.running}
      error={action.error}
      onConfirm={run}
      onClose={() => {
        action.reset();
        close();
      }}
    >
      {ids.length === 1 ? null : <span className="chosen">{addresses.join(', ')}</span>}
      {w.text}
      <br />
      <Checkbox checked={force} onChange={(e) => setForce(e.target.checked)} style={{ marginTop: 8 }}>
        {w.force}
      </Checkbox>
    </ConfirmTyped>
  );
}
