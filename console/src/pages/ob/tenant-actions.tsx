// SPDX-License-Identifier: Apache-2.0
// What may be done with a tenant as a whole.
import { Button, Input } from 'antd';

import type { Data } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { IfMay } from '../../parts/permission-guard';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { PasswordDrawer } from './password-drawer';
import { tenantNeeds, tenantPath } from './tenant-of';
import { ob } from './words';

const words = {
  ...ob,
  describe: ['Description', '备注'],
  described: ['The description was saved', '备注已保存'],
  lockTitle: ['Lock {0}?', '锁定租户 {0}？'],
  lockText: [
    'Nobody can connect to it any more until it is unlocked. Connections that there are stay.',
    '锁定后将拒绝所有新连接，直到解锁；已有连接不受影响。',
  ],
  isLocked: ['{0} is locked', '{0} 已锁定'],
  isUnlocked: ['{0} is unlocked', '{0} 已解锁'],
  oldHelp: [
    'Only needed when it is not known here. A present password given as the new one is only kept.',
    '仅当平台未保存该密码时需要填写。若新密码与当前密码相同，则只保存、不修改。',
  ],
} as const;

const PATH = '/api/v2/ob/clusters/{id}/tenants/{tenantId}';
type Tenant = Data<'get', '/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}'>;

export function TenantActions({ of }: { of: Tenant }) {
  const w = useWords(words);
  const dialog = useDialog();
  const tenant = { cluster: of.clusterId ?? 0, tenant: of.id ?? 0, mode: of.mode };
  const path = tenantPath(tenant);
  const name = of.name ?? '';
  const options = { quiet: true, refreshes: ['/api/v2/ob'], then: dialog.hide };
  const lock = useAction('post', `${PATH}/lock`, { ...options, done: fill(w.isLocked, name) });
  const unlock = useAction('post', `${PATH}/unlock`, { ...options, quiet: false, done: fill(w.isUnlocked, name) });
  const change = useAction('post', `${PATH}/changePassword`, { ...options, done: w.passwordChanged });
  const describe = useAction('patch', PATH, { ...options, done: w.described });
  const close = () => {
    [lock, change, describe].forEach((a) => a.reset());
    dialog.hide();
  };
  return (
    <IfMay needs={tenantNeeds(tenant, 'UPDATE')}>
      <Button onClick={() => dialog.show('describe')}>{w.describe}</Button>
      <Button onClick={() => dialog.show('password')}>{w.changePassword}</Button>
      {of.locked === true ? (
        <Button loading={unlock.running} onClick={() => unlock.run({ path })}>
          {w.unlock}
        </Button>
      ) : (
        <Button danger onClick={() => dialog.show('lock')}>
          {w.lock}
        </Button>
      )}
      <PasswordDrawer
        open={dialog.is('password')}
        title={`${w.changePassword}: ${of.mode === 'ORACLE' ? 'SYS' : 'root'}@${name}`}
        oldHelp={w.oldHelp}
        running={change.running}
        error={change.error}
        onClose={close}
        onSubmit={(body) => change.run({ path, body })}
      />
      <FormDrawer<{ description?: string }>
        open={dialog.is('describe')}
        title={`${w.describe}: ${name}`}
        initial={{ description: of.description }}
        running={describe.running}
        error={describe.error}
        onClose={close}
        onSubmit={({ description }) => describe.run({ path, body: { description: description ?? '' } })}
      >
        <Field name="description" label={w.describe}>
          <Input.TextArea rows={4} maxLength={512} autoFocus />
        </Field>
      </FormDrawer>
      <ConfirmTyped
        open={dialog.is('lock')}
        title={fill(w.lockTitle, name)}
        word="confirm"
        running={lock.running}
        error={lock.error}
        onConfirm={() => lock.run({ path })}
        onClose={close}
      >
        {w.lockText}
      </ConfirmTyped>
    </IfMay>
  );
}
