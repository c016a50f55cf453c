// SPDX-License-Identifier: Apache-2.0
// The password box: logins to hosts, OceanBase tenants and OBProxies, whose secrets never come back.
import { Button, Form, Input, Select, Switch, Tabs } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Body, Data, Row } from '../api/types';
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
import { fill, useWords } from '../words';
import { common } from '../words.common';
import { CHECK, CheckDrawer } from './vault/check';
import { ExportDrawer, ImportDrawer } from './vault/file';
import { Offers, OFFERS, ShareDrawer } from './vault/share';

const words = {
  ...common,
  title: ['Password box', '密码箱'],
  add: ['New credential', '新建凭据'],
  HOST: ['Hosts', '主机'],
  OB: ['OceanBase tenants', 'OceanBase 租户'],
  OBPROXY: ['OBProxies', 'OBProxy'],
  login: ['Login name', '登录用户名'],
  cluster: ['Cluster', '集群'],
  tenant: ['Tenant', '租户'],
  how: ['Logs in with', '登录方式'],
  PASSWORD: ['Password', '密码'],
  PRIVATE_KEY: ['Private key', '私钥'],
  secret: ['Password', '密码'],
  key: ['Private key', '私钥'],
  unchanged: ['Empty: it stays as it is', '留空则保持不变'],
  test: ['Try it before it is saved', '保存前验证'],
  saved: ['The credential was saved', '凭据已保存'],
  tryOne: ['Try', '验证'],
  tryThem: ['Try selected', '验证所选'],
  share: ['Share', '共享'],
  export: ['Export', '导出'],
  import: ['Import', '导入'],
  offers: ['Offered to you', '共享给我的'],
  offersN: ['Offered to you ({0})', '共享给我的（{0}）'],
  editTitle: ['Edit credential {0}', '编辑凭据 {0}'],
} as const;

const PATH = '/api/v2/profiles/me/credentials';
type Credential = Row<typeof PATH>;
type NewCredential = Body<'post', typeof PATH>;
type Kind = NewCredential['targetType'];
const KINDS: Kind[] = ['HOST', 'OB', 'OBPROXY'];
const PROPERTY = {
  HOST: 'sshCredentialProperty',
  OB: 'obJdbcCredentialProperty',
  OBPROXY: 'obProxyCredentialProperty',
} as const;

function SecretField({ kind, editing }: { kind: Kind; editing: boolean }) {
  const w = useWords(words);
  const property = PROPERTY[kind];
  const how: unknown = Form.useWatch([property, 'type']);
  const isKey = kind === 'HOST' && how === 'PRIVATE_KEY';
  return (
    <Field
      name={[property, 'passphrase']}
      label={isKey ? w.key : w.secret}
      required={!editing}
      extra={editing ? w.unchanged : undefined}
    >
      {isKey ? <Input.TextArea rows={6} autoComplete="off" /> : <Input.Password autoComplete="new-password" />}
    </Field>
  );
}

function CredentialFields({ kind, editing }: { kind: Kind; editing: boolean }) {
  const w = useWords(words);
  const property = PROPERTY[kind];
  return (
    <>
      <Field name="name" label={w.name} required>
        <Input maxLength={128} autoFocus />
      </Field>
      {kind === 'HOST' ? (
        <Field name={[property, 'type']} label={w.how} required>
          <Select
            options={[
              { value: 'PASSWORD', label: w.PASSWORD },
              { value: 'PRIVATE_KEY', label: w.PRIVATE_KEY },
            ]}
          />
        </Field>
      ) : (
        <Field name={[property, 'clusterName']} label={w.cluster} required>
          <Input maxLength={128} />
        </Field>
      )}
      {kind === 'OB' ? (
        <Field name={[property, 'tenantName']} label={w.tenant} required>
          <Input maxLength={128} />
        </Field>
      ) : null}
      <Field name={[property, 'username']} label={w.login} required>
        <Input maxLength={128} autoComplete="off" />
      </Field>
      <SecretField kind={kind} editing={editing} />
      <Field name="description" label={w.description}>
        <Input.TextArea rows={2} maxLength={512} />
      </Field>
      <Field name="validate" label={w.test} valuePropName="checked">
        <Switch />
      </Field>
    </>
  );
}

const whereOf = (c: Credential) => {
  const ob = c.obJdbcCredentialProperty,
    proxy = c.obProxyCredentialProperty;
  return {
    login: c.sshCredentialProperty?.username ?? ob?.username ?? proxy?.username,
    cluster: ob?.clusterName ?? proxy?.clusterName,
  };
};

/** Tries credentials in a drawer that opens at once, because hosts may take their time. */
function useCheck(open: () => void) {
  const [checks, setChecks] = useState<NonNullable<Data<'post', typeof CHECK>['contents']>>([]);
  const check = useAction('post', CHECK, {
    done: '',
    quiet: true,
    refreshes: [],
    then: ({ contents = [] }) => setChecks(contents),
  });
  const start = (...credentials: Credential[]) => {
    check.reset();
    setChecks([]);
    open();
    check.run({ body: { credentialIds: idsOf(credentials) } });
  };
  return { check, checks, start };
}

const idsOf = (credentials: Credential[]) => credentials.flatMap((c) => c.id ?? []);

interface ToolbarProps {
  disabled: boolean;
  onTry: () => void;
  onShare: () => void;
  onExport: () => void;
}

/** What may be done with the credentials that are ticked. */
function Toolbar({ disabled, onTry, onShare, onExport }: ToolbarProps) {
  const w = useWords(words);
  const buttons = [
    { label: w.tryThem, needs: 'PROFILE:*:READ', onClick: onTry },
    { label: w.share, needs: 'PROFILE:*:UPDATE', onClick: onShare },
    { label: w.export, needs: 'PROFILE:*:READ', onClick: onExport },
  ];
  return buttons.map((b) => (
    <IfMay key={b.label} needs={b.needs}>
      <Button disabled={disabled} onClick={b.onClick}>
        {b.label}
      </Button>
    </IfMay>
  ));
}

function CredentialTabs({ active, onChange }: { active: string; onChange: (kind: string) => void }) {
  const w = useWords(words);
  const offers = useGet(OFFERS, {}).data?.contents?.length ?? 0;
  return (
    <Tabs
      activeKey={active}
      onChange={onChange}
      items={[
        ...KINDS.map((k) => ({ key: k as string, label: w[k] })),
        { key: 'OFFERS', label: offers === 0 ? w.offers : fill(w.offersN, offers) },
      ]}
    />
  );
}

export default function Vault() {
  const w = useWords(words);
  const [params, setParams] = useSearchParams();
  const kind = KINDS.find((k) => k === params.get('kind')) ?? 'HOST';
  const offered = params.get('kind') === 'OFFERS';
  const [selected, select] = useState<Credential[]>([]);
  const dialog = useDialog<Credential>();
  const options = { done: w.saved, quiet: true, refreshes: [PATH], then: dialog.hide };
  const tried = useCheck(() => dialog.show('check'));
  const create = useAction('post', PATH, options);
  const update = useAction('patch', '/api/v2/profiles/me/credentials/{id}', options);
  const subject = dialog.subject;
  const editing = dialog.is('edit');
  const path = { id: subject?.id ?? 0 };
  const columns: Column<Credential>[] = [
    { title: w.name, dataIndex: 'name' },
    ...(kind === 'HOST' ? [] : [{ title: w.cluster, render: (c: Credential) => whereOf(c).cluster ?? '-' }]),
    ...(kind === 'OB'
      ? [{ title: w.tenant, render: (c: Credential) => c.obJdbcCredentialProperty?.tenantName ?? '-' }]
      : []),
    { title: w.login, render: (c) => whereOf(c).login },
    ...(kind === 'HOST'
      ? [{ title: w.how, render: (c: Credential) => w[c.sshCredentialProperty?.type ?? 'PASSWORD'] }]
      : []),
    { title: w.description, dataIndex: 'description' },
    { title: w.updated, render: (c) => <Time at={c.updateTime} /> },
    {
      title: w.actions,
      render: (c) => (
        <RowActions
          actions={[
            { label: w.tryOne, needs: 'PROFILE:*:READ', onClick: () => tried.start(c) },
            { label: w.edit, needs: 'PROFILE:*:UPDATE', onClick: () => dialog.show('edit', c) },
            { label: w.remove, danger: true, needs: 'PROFILE:*:DELETE', onClick: () => dialog.show('remove', c) },
          ]}
        />
      ),
    },
  ];
  const close = () => {
    create.reset();
    update.reset();
    dialog.hide();
  };
  const submit = (values: NewCredential) =>
    editing ? update.run({ path, body: values }) : create.run({ body: { ...values, targetType: kind } });
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="PROFILE:*:CREATE">
          <Button onClick={() => dialog.show('import')}>{w.import}</Button>
          <Button type="primary" onClick={() => dialog.show('create')}>
            {w.add}
          </Button>
        </IfMay>
      </PageHead>
      <CredentialTabs
        active={offered ? 'OFFERS' : kind}
        onChange={(key) => {
          select([]);
          setParams(key === 'HOST' ? {} : { kind: key });
        }}
      />
      {offered ? (
        <Offers />
      ) : (
        <ServerTable
          path={PATH}
          input={{ query: { targetType: kind } }}
          paged={false}
          columns={columns}
          rowKey="id"
          label={w.title}
          selection={{ rows: selected, nameOf: (c) => c.name ?? '', onChange: select }}
          toolbar={
            <Toolbar
              disabled={selected.length === 0}
              onTry={() => tried.start(...selected)}
              onShare={() => dialog.show('share')}
              onExport={() => dialog.show('export')}
            />
          }
        />
      )}
      <CheckDrawer open={dialog.is('check')} check={tried.check} checks={tried.checks} onClose={dialog.hide} />
      <ShareDrawer open={dialog.is('share')} ids={idsOf(selected)} onClose={dialog.hide} />
      <ExportDrawer open={dialog.is('export')} ids={idsOf(selected)} onClose={dialog.hide} />
      <ImportDrawer open={dialog.is('import')} onClose={dialog.hide} />
      <FormDrawer<NewCredential>
        open={dialog.is('create') || editing}
        title={editing ? fill(w.editTitle, subject?.name ?? '') : w.add}
        initial={editing ? subject : { [PROPERTY[kind]]: { type: 'PASSWORD' } }}
        running={create.running || update.running}
        error={create.error ?? update.error}
        onClose={close}
        onSubmit={submit}
      >
        <CredentialFields kind={kind} editing={editing} />
      </FormDrawer>
      <DeleteDialog
        open={dialog.is('remove')}
        path="/api/v2/profiles/me/credentials/{id}"
        input={{ path }}
        name={subject?.name ?? ''}
        onClose={dialog.hide}
        onDone={() => select([])}
      />
    </>
  );
}
