// SPDX-License-Identifier: Apache-2.0
// The key by which a host's SSH server is known; a changed one is refused until somebody says that it is right.
import { Alert, Button, Modal } from 'antd';

import { useGet } from '../../api/hooks';
import { DetailCard } from '../../parts/detail-card';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { IfMay } from '../../parts/permission-guard';
import { useAction } from '../../parts/use-action';
import { useWords } from '../../words';
import { hostWords } from './words';

const words = {
  ...hostWords,
  key: ['SSH key', 'SSH 主机密钥'],
  pinned: ['Counts here', '已记录的密钥'],
  shown: ['The host shows', '主机当前的密钥'],
  same: ['They are the same.', '两者一致。'],
  differ: [
    'They differ: the host was installed anew, or somebody else answers in its place. Ask on the host itself (ssh-keygen -lf) before you accept it.',
    '两者不一致：主机可能已重装，也可能是其他机器在冒充。接受之前请在主机上核对（ssh-keygen -lf）。',
  ],
  accept: ['Accept the new key', '接受新密钥'],
  accepted: ['The new key counts', '新密钥已生效'],
} as const;

const PATH = '/api/v2/compute/hosts/{hostId}/sshKey';

function Keys({ host, onDone }: { host: number; onDone: () => void }) {
  const w = useWords(words);
  const path = { hostId: host };
  const got = useGet(PATH, { path });
  const accept = useAction('post', `${PATH}/accept`, {
    done: w.accepted,
    quiet: true,
    refreshes: ['/api/v2/compute/hosts'],
    then: onDone,
  });
  const k = got.data;
  if (k === undefined)
    return got.error === null ? <Loading /> : <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
  return (
    <>
      <Alert type={k.same === true ? 'success' : 'warning'} showIcon title={k.same === true ? w.same : w.differ} />
      <br />
      <DetailCard
        details={[
          { label: w.pinned, value: <span className="breaks">{k.pinned ?? '-'}</span>, span: 2 },
          { label: w.shown, value: <span className="breaks">{k.shown ?? '-'}</span>, span: 2 },
        ]}
      />
      {accept.error === null ? null : <ErrorView error={accept.error} />}
      {k.same === true || k.shown === undefined ? null : (
        <IfMay needs={`HOST:${host}:UPDATE`}>
          <Button
            danger
            loading={accept.running}
            onClick={() => accept.run({ path, body: { fingerprint: k.shown ?? '' } })}
          >
            {w.accept}
          </Button>
        </IfMay>
      )}
    </>
  );
}

export function SshKey({ host, open, onClose }: { host: number; open: boolean; onClose: () => void }) {
  const w = useWords(words);
  return (
    <Modal
      open={open}
      title={w.key}
      footer={<Button onClick={onClose}>{w.close}</Button>}
      onCancel={onClose}
      destroyOnHidden
    >
      <Keys host={host} onDone={onClose} />
    </Modal>
  );
}
