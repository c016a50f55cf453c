// SPDX-License-Identifier: Apache-2.0
// A node more: where it will be, and then what its machine needs to join.
import { DownloadOutlined } from '@ant-design/icons';
import { Alert, Button, Input, Modal, Switch, Typography } from 'antd';
import { useState } from 'react';

import type { Body, Data } from '../../api/types';
import { download } from '../../parts/download';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { IfMay } from '../../parts/permission-guard';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { nodeWords } from './words';

const words = {
  ...nodeWords,
  add: ['Add a node', '添加节点'],
  peer: ['Peer address', '节点间地址'],
  peerHelp: [
    'IP address and port at which the other nodes will reach it: its setting peer.address, or peer.listen.',
    '其他节点访问该节点所用的 IP 和端口，即其配置项 peer.address 或 peer.listen。',
  ],
  nameHelp: ['Until it gives its own.', '节点加入后以其自身名称为准。'],
  witness: ['Witness', '见证节点'],
  witnessHelp: ['It only votes: it never leads and serves nobody.', '仅参与投票，不会成为主节点，也不提供服务。'],
  made: ['Let {0} join', '让节点 {0} 加入集群'],
  once: [
    'The join secret is shown this once. Keep it now; without it nobody opens the bundle.',
    '加入密钥仅显示一次，请立即保存；没有它无法打开加入包。',
  ],
  bundle: ['Download the join bundle', '下载加入包'],
  secret: ['Join secret', '加入密钥'],
  then: [
    'Take the file to the machine, run this there, and start ocp-server:',
    '将文件复制到该机器并执行以下命令，然后启动 ocp-server：',
  ],
} as const;

const PATH = '/api/v2/ocp/nodes';
type Wanted = Body<'post', typeof PATH>;
type Added = Data<'post', typeof PATH> & { peerAddress: string };

const fileOf = (added: Added | undefined) => `${(added?.peerAddress ?? '').replace(/[:[\]]/g, '_')}.bundle`;

function Join({ added, onClose }: { added: Added | undefined; onClose: () => void }) {
  const w = useWords(words);
  const save = () => download(new Blob([added?.bundle ?? ''], { type: 'application/octet-stream' }), fileOf(added));
  return (
    <Modal
      open={added !== undefined}
      title={fill(w.made, added?.peerAddress ?? '')}
      onOk={onClose}
      onCancel={onClose}
      okText={w.close}
      cancelButtonProps={{ hidden: true }}
      mask={{ closable: false }}
      destroyOnHidden
    >
      <Alert type="warning" showIcon title={w.once} style={{ marginBottom: 16 }} />
      <p>
        {w.secret}: <Typography.Text copyable>{added?.secret}</Typography.Text>
      </p>
      <p>
        <Button icon={<DownloadOutlined />} onClick={save}>
          {w.bundle}
        </Button>
      </p>
      <p>{w.then}</p>
      <pre>ocp-server --join {fileOf(added)}</pre>
    </Modal>
  );
}

export function AddNode() {
  const w = useWords(words);
  const dialog = useDialog<Added>();
  const [peerAddress, setPeerAddress] = useState('');
  const add = useAction('post', PATH, {
    done: '',
    quiet: true,
    refreshes: ['/api/v2/ocp', '/members'],
    then: (added) => dialog.show('made', { ...added, peerAddress }),
  });
  const close = () => {
    add.reset();
    dialog.hide();
  };
  const submit = (body: Wanted) => {
    setPeerAddress(body.peerAddress);
    add.run({ body });
  };
  return (
    <IfMay needs="**">
      <Button type="primary" onClick={() => dialog.show('add')}>
        {w.add}
      </Button>
      <FormDrawer<Wanted>
        open={dialog.is('add')}
        title={w.add}
        submit={w.add}
        running={add.running}
        error={add.error}
        onClose={close}
        onSubmit={submit}
      >
        <Field name="peerAddress" label={w.peer} required extra={w.peerHelp}>
          <Input placeholder="10.0.0.4:8081" maxLength={128} autoFocus />
        </Field>
        <Field name="name" label={w.name} extra={w.nameHelp}>
          <Input maxLength={64} />
        </Field>
        <Field name="witness" label={w.witness} extra={w.witnessHelp} valuePropName="checked">
          <Switch />
        </Field>
      </FormDrawer>
      <Join added={dialog.is('made') ? dialog.subject : undefined} onClose={() => dialog.show('')} />
    </IfMay>
  );
}
