// SPDX-License-Identifier: Apache-2.0
// What may be done with a cluster as a whole: another password, moving it out.
import { Button, Checkbox } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';

import type { Data } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { IfMay } from '../../parts/permission-guard';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { ClusterMenu } from './operation-menus';
import { PasswordDrawer } from './password-drawer';
import { ob } from './words';

const words = {
  ...ob,
  moveOut: ['Move out', '迁出'],
  moveTitle: ['Move out {0}?', '迁出 {0}？'],
  moveText: [
    'It keeps running and is no longer managed here: what is known of it, its passwords and its history here are forgotten.',
    '集群将继续运行，但不再由此平台管理；平台中保存的集群信息、密码和历史记录将被删除。',
  ],
  moving: ['The move-out has begun', '迁出任务已开始'],
  force: ['Although another task of it is not finished', '即使该集群有未完成的任务也继续'],
  oldHelp: ['Only needed when it was changed elsewhere.', '仅当密码曾在别处被修改时需要填写。'],
} as const;

export function ClusterActions({ of }: { of: Data<'get', '/api/v2/ob/clusters/{id}'> }) {
  const w = useWords(words);
  const navigate = useNavigate();
  const dialog = useDialog();
  const [force, setForce] = useState(false);
  const path = { id: of.id ?? 0 };
  const name = of.name ?? '';
  const change = useAction('post', '/api/v2/ob/clusters/{id}/changePassword', {
    done: w.passwordChanged,
    quiet: true,
    refreshes: ['/api/v2/ob'],
    then: dialog.hide,
  });
  const move = useAction('post', '/api/v2/ob/clusters/{id}/moveOut', {
    done: w.moving,
    quiet: true,
    refreshes: ['/api/v2/ob/clusters', '/api/v2/tasks'],
    then: () => {
      dialog.hide();
      void navigate('/cluster');
    },
  });
  const close = () => {
    change.reset();
    move.reset();
    dialog.hide();
  };
  return (
    <>
      <IfMay needs={`CLUSTER:${path.id}:UPDATE`}>
        <Button onClick={() => dialog.show('password')}>{w.changePassword}</Button>
      </IfMay>
      <IfMay needs={`CLUSTER:${path.id}:DELETE`}>
        <Button danger onClick={() => dialog.show('move')}>
          {w.moveOut}
        </Button>
      </IfMay>
      {of.engine === 'SEEKDB' ? null : <ClusterMenu of={of} />}
      <PasswordDrawer
        open={dialog.is('password')}
        title={`${w.changePassword}: root@sys`}
        oldHelp={w.oldHelp}
        running={change.running}
        error={change.error}
        onClose={close}
        onSubmit={(body) => change.run({ path, body })}
      />
      <ConfirmTyped
        open={dialog.is('move')}
        title={fill(w.moveTitle, name)}
        word="confirm"
        running={move.running}
        error={move.error}
        onConfirm={() => move.run({ path, body: { force } })}
        onClose={close}
      >
        {w.moveText}
        <br />
        <Checkbox checked={force} onChange={(e) => setForce(e.target.checked)} style={{ marginTop: 8 }}>
          {w.force}
        </Checkbox>
      </ConfirmTyped>
    </>
  );
}
