// SPDX-License-Identifier: Apache-2.0
import { Checkbox } from 'antd';
import { useState } from 'react';

import { DeleteDialog } from '../../parts/delete-dialog';
import { useWords } from '../../words';

const words = {
  text: [
    'The agent is stopped and removed there, and the host is forgotten here. A host that is in use is refused, with who uses it.',
    '将停止并卸载该主机上的 Agent，并删除主机记录。使用中的主机不能删除，届时将提示使用者。',
  ],
  force: ['It is gone for good: nothing is removed there', '主机已永久下线：不在该主机上执行清理'],
} as const;

interface Props {
  open: boolean;
  host: { id?: number; innerIpAddress?: string } | undefined;
  onClose: () => void;
  onDone?: () => void;
}

export function DeleteHost({ open, host, onClose, onDone }: Props) {
  const w = useWords(words);
  const [force, setForce] = useState(false);
  return (
    <DeleteDialog
      open={open}
      path="/api/v2/compute/hosts/{hostId}"
      input={{ path: { hostId: host?.id ?? 0 }, query: { force } }}
      refreshes={['/api/v2/compute/hosts', '/api/v2/tasks']}
      name={host?.innerIpAddress ?? ''}
      onClose={() => {
        setForce(false);
        onClose();
      }}
      onDone={onDone}
    >
      {w.text}
      <br />
      <Checkbox checked={force} onChange={(e) => setForce(e.target.checked)} style={{ marginTop: 8 }}>
        {w.force}
      </Checkbox>
    </DeleteDialog>
  );
}
