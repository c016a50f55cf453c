// SPDX-License-Identifier: Apache-2.0
// Copies of credentials for other users: offering them, and what others have offered.
import { Input, Select, Switch } from 'antd';

import type { Body, Row } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { RowActions } from '../../parts/row-actions';
import { ServerTable } from '../../parts/server-table';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { common } from '../../words.common';

const words = {
  ...common,
  share: ['Share', '共享'],
  shareTitle: ['Share {0} credentials', '共享 {0} 个凭据'],
  users: ['User names', '用户名'],
  usersExtra: [
    'Type a name, then Enter. Each gets a copy, to be accepted within seven days.',
    '输入用户名后按回车。每个用户将获得一份副本，须在七天内接受。',
  ],
  shared: ['The credentials were offered', '凭据已共享'],
  offers: ['Offered to you', '共享给我的'],
  from: ['From', '来自'],
  until: ['Open until', '有效期至'],
  accept: ['Accept', '接受'],
  acceptTitle: ['Accept {0}', '接受 {0}'],
  withHosts: ['Keep which hosts it is for', '保留适用主机'],
  accepted: ['The credential is in your password box', '凭据已存入密码箱'],
  ignore: ['Ignore', '忽略'],
  ignoreTitle: ['Ignore {0}?', '忽略 {0}？'],
  ignoreText: ['The offer ends. Its owner would have to share it again.', '该共享将失效，如需使用须由对方重新共享。'],
  ignored: ['The offer was ignored', '已忽略'],
  HOST: ['Host', '主机'],
  OB: ['OceanBase tenant', 'OceanBase 租户'],
  OBPROXY: ['OBProxy', 'OBProxy'],
} as const;

const BOX = '/api/v2/profiles/me/credentials';
export const OFFERS = '/api/v2/profiles/me/credentialOffers';
const SHARE = `${BOX}/share` as const;
const ACCEPT = `${OFFERS}/{id}/accept` as const;
type Offer = Row<typeof OFFERS>;
type Accept = NonNullable<Body<'post', typeof ACCEPT>>;

interface ShareProps {
  open: boolean;
  ids: number[];
  onClose: () => void;
}

export function ShareDrawer({ open, ids, onClose }: ShareProps) {
  const w = useWords(words);
  const share = useAction('post', SHARE, { done: w.shared, quiet: true, refreshes: [], then: onClose });
  const close = () => {
    share.reset();
    onClose();
  };
  return (
    <FormDrawer<{ usernames: string[] }>
      open={open}
      title={fill(w.shareTitle, ids.length)}
      submit={w.share}
      running={share.running}
      error={share.error}
      onClose={close}
      onSubmit={({ usernames }) => share.run({ body: { credentialIds: ids, usernames } })}
    >
      <Field name="usernames" label={w.users} extra={w.usersExtra} required>
        <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ']} />
      </Field>
    </FormDrawer>
  );
}

function useOfferActions(hide: () => void) {
  const w = useWords(words);
  const options = { quiet: true, refreshes: [OFFERS, BOX], then: hide };
  return {
    accept: useAction('post', ACCEPT, { ...options, done: w.accepted }),
    ignore: useAction('post', `${OFFERS}/{id}/ignore`, { ...options, done: w.ignored }),
  };
}

export function Offers() {
  const w = useWords(words);
  const dialog = useDialog<Offer>();
  const { accept, ignore } = useOfferActions(dialog.hide);
  const name = dialog.subject?.name ?? '';
  const path = { id: dialog.subject?.id ?? 0 };
  const close = () => {
    accept.reset();
    ignore.reset();
    dialog.hide();
  };
  const actions = (o: Offer) => [
    { label: w.accept, needs: 'PROFILE:*:CREATE', onClick: () => dialog.show('accept', o) },
    { label: w.ignore, danger: true, needs: 'PROFILE:*:UPDATE', onClick: () => dialog.show('ignore', o) },
  ];
  return (
    <>
      <ServerTable
        path={OFFERS}
        paged={false}
        rowKey="id"
        label={w.offers}
        columns={[
          { title: w.name, dataIndex: 'name' },
          { title: w.type, render: (o) => (o.targetType === undefined ? '-' : w[o.targetType]) },
          { title: w.from, dataIndex: 'from' },
          { title: w.description, dataIndex: 'description' },
          { title: w.until, render: (o) => <Time at={o.expireTime} /> },
          { title: w.actions, render: (o) => <RowActions actions={actions(o)} /> },
        ]}
      />
      <FormDrawer<Accept>
        open={dialog.is('accept')}
        title={fill(w.acceptTitle, name)}
        submit={w.accept}
        initial={{ name, withHosts: true }}
        running={accept.running}
        error={accept.error}
        onClose={close}
        onSubmit={(body) => accept.run({ path, body })}
      >
        <Field name="name" label={w.name} required>
          <Input maxLength={64} autoFocus />
        </Field>
        {dialog.subject?.targetType === 'HOST' ? (
          <Field name="withHosts" label={w.withHosts} valuePropName="checked">
            <Switch />
          </Field>
        ) : null}
      </FormDrawer>
      <ConfirmTyped
        open={dialog.is('ignore')}
        title={fill(w.ignoreTitle, name)}
        word="ignore"
        running={ignore.running}
        error={ignore.error}
        onConfirm={() => ignore.run({ path })}
        onClose={close}
      >
        {w.ignoreText}
      </ConfirmTyped>
    </>
  );
}
