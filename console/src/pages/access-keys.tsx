// SPDX-License-Identifier: Apache-2.0
import { Alert, Button, Input, Modal, Tag, Typography } from 'antd';

import type { Data, Row } from '../api/types';
import { DeleteDialog } from '../parts/delete-dialog';
import { Field } from '../parts/field';
import { FormDrawer } from '../parts/form-drawer';
import { PageHead } from '../parts/page-head';
import { IfMay } from '../parts/permission-guard';
import { RowActions } from '../parts/row-actions';
import { type Column, ServerTable } from '../parts/server-table';
import { Time } from '../parts/time';
import { useAction } from '../parts/use-action';
import { useDialog } from '../parts/use-dialog';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['Access keys', '访问密钥'],
  add: ['New access key', '新建访问密钥'],
  key: ['Access key', 'Access Key'],
  secret: ['Secret', 'Secret Key'],
  remark: ['What it is for', '用途'],
  enabled: ['Enabled', '已启用'],
  disabled: ['Disabled', '已禁用'],
  enable: ['Enable', '启用'],
  disable: ['Disable', '禁用'],
  used: ['Last used', '最近使用'],
  made: ['Your new access key', '新的访问密钥'],
  once: [
    'The secret is shown this once. Keep it now; nobody can read it again.',
    '密钥仅显示一次，请立即保存，之后无法再次查看。',
  ],
  programs: ['Programs that use it are refused from now on.', '使用该密钥的程序将立即被拒绝。'],
} as const;

const PATH = '/api/v2/profiles/me/accessKeys';
const ONE = '/api/v2/profiles/me/accessKeys/{id}';
type Key = Row<typeof PATH>;
type NewKey = Data<'post', typeof PATH>;

function Secret({ made, onClose }: { made: NewKey | undefined; onClose: () => void }) {
  const w = useWords(words);
  return (
    <Modal
      open={made !== undefined}
      title={w.made}
      onOk={onClose}
      onCancel={onClose}
      okText={w.close}
      cancelButtonProps={{ hidden: true }}
      destroyOnHidden
    >
      <Alert type="warning" showIcon title={w.once} style={{ marginBottom: 16 }} />
      <p>
        {w.key}: <Typography.Text copyable>{made?.accessKey}</Typography.Text>
      </p>
      <p>
        {w.secret}: <Typography.Text copyable>{made?.secretKey}</Typography.Text>
      </p>
    </Modal>
  );
}

export default function AccessKeys() {
  const w = useWords(words);
  const dialog = useDialog<NewKey>();
  const create = useAction('post', PATH, { done: '', quiet: true, then: (made) => dialog.show('made', made) });
  const update = useAction('patch', ONE, { refreshes: [PATH] });
  const subject = dialog.subject;
  const columns: Column<Key>[] = [
    { title: w.key, render: (k) => <code>{k.accessKey}</code> },
    { title: w.remark, dataIndex: 'description' },
    {
      title: w.status,
      render: (k) => (k.enabled === false ? <Tag>{w.disabled}</Tag> : <Tag color="success">{w.enabled}</Tag>),
    },
    { title: w.created, render: (k) => <Time at={k.createTime} /> },
    { title: w.used, render: (k) => <Time at={k.lastUsedTime} /> },
    {
      title: w.actions,
      render: (k) => {
        const on = k.enabled !== false;
        const turn = () => update.run({ path: { id: k.id ?? 0 }, body: { enabled: !on } });
        return (
          <RowActions
            actions={[
              { label: on ? w.disable : w.enable, needs: 'PROFILE:*:UPDATE', onClick: turn },
              { label: w.remove, danger: true, needs: 'PROFILE:*:DELETE', onClick: () => dialog.show('remove', k) },
            ]}
          />
        );
      },
    },
  ];
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="PROFILE:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.add}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable path={PATH} paged={false} columns={columns} rowKey="id" label={w.title} />
      <FormDrawer<{ description?: string }>
        open={dialog.is('create')}
        title={w.add}
        submit={w.create}
        running={create.running}
        error={create.error}
        onClose={dialog.hide}
        onSubmit={(body) => create.run({ body })}
      >
        <Field name="description" label={w.remark}>
          <Input.TextArea rows={2} maxLength={255} autoFocus />
        </Field>
      </FormDrawer>
      <Secret made={dialog.is('made') ? subject : undefined} onClose={() => dialog.show('')} />
      <DeleteDialog
        open={dialog.is('remove')}
        path={ONE}
        input={{ path: { id: subject?.id ?? 0 } }}
        name={subject?.accessKey ?? ''}
        onClose={dialog.hide}
      >
        {w.programs}
      </DeleteDialog>
    </>
  );
}
