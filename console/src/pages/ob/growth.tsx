// SPDX-License-Identifier: Apache-2.0
// More zones, more servers, a server in the place of another: on hosts of this OCP.
import { Form, Input } from 'antd';

import type { Body } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, type Pair, say, useLanguage, useWords } from '../../words';
import { FreeHostSelect, IdcSelect } from './place-fields';
import { ob } from './words';

const words = {
  ...ob,
  hosts: ['Hosts', '主机'],
  host: ['Host', '主机'],
  begun: ['It has begun', '任务已开始'],
  zoneHelp: [
    'A new zone holds data once the locality and the resource pools of tenants name it.',
    '新增 Zone 后，需在租户的 Locality 和资源池中加入该 Zone，才会存放数据。',
  ],
  hostsHelp: [
    'Available hosts in its IDC. Observers of the version of the cluster are installed there.',
    '该机房中空闲的主机，将安装与集群相同版本的 OBServer。',
  ],
  hostHelp: [
    'It gets a new server that takes all units; then the old one leaves the cluster and ALL ITS DATA IS DELETED from its host.',
    '将在该主机上新建 OBServer 并迁入全部 Unit，随后从集群中移除原 OBServer，并从其主机上删除全部数据。',
  ],
} as const;

const BASE = '/api/v2/ob/clusters/{id}';

export const growthLabels = {
  addZone: ['Add a zone', '添加 Zone'],
  addServers: ['Add servers', '添加 OBServer'],
  replaceServer: ['Replace', '替换'],
} satisfies Record<string, Pair>;

/** What is added or replaced; `idc` is where the hosts stand that come into question. */
export interface Growth {
  growth: keyof typeof growthLabels;
  name: string;
  idc?: string;
  zone?: string;
  server?: number;
}

export const isGrowth = (of: object): of is Growth => 'growth' in of;

type NewZone = Body<'post', '/api/v2/ob/clusters/{id}/zones'>;
type Values = NewZone & { hostId: number };

function ZoneFields() {
  const w = useWords(words);
  const form = Form.useFormInstance<Values>();
  const idc = Form.useWatch('idcName', form);
  return (
    <>
      <p className="quiet">{w.zoneHelp}</p>
      <Field name="name" label={w.name} required>
        <Input maxLength={64} autoFocus autoComplete="off" />
      </Field>
      <Field name="idcName" label={w.idc} required>
        <IdcSelect onChange={() => form.setFieldValue('servers', [])} />
      </Field>
      <HostsField idc={idc} />
    </>
  );
}

function HostsField({ idc }: { idc: string | undefined }) {
  const w = useWords(words);
  return (
    <Field name="servers" label={w.hosts} required extra={w.hostsHelp}>
      <FreeHostSelect<number[]> mode="multiple" idc={idc} />
    </Field>
  );
}

function Fields({ of }: { of: Growth }) {
  const w = useWords(words);
  if (of.growth === 'addZone') return <ZoneFields />;
  if (of.growth === 'addServers') return <HostsField idc={of.idc} />;
  return (
    <Field name="hostId" label={w.host} required extra={w.hostHelp}>
      <FreeHostSelect<number> idc={of.idc} />
    </Field>
  );
}

interface Props {
  cluster: number;
  of: Growth | undefined;
  open: boolean;
  onDone: () => void;
  onClose: () => void;
}

export function GrowthDrawer({ cluster, of, open, onDone, onClose }: Props) {
  const w = useWords(words);
  const { language } = useLanguage();
  const asked = useDialog<number>(); // replacing deletes data, so it wants a word
  const options = {
    done: w.begun,
    quiet: true,
    refreshes: ['/api/v2/ob', '/api/v2/tasks', '/api/v2/compute/hosts'],
    then: () => {
      asked.hide();
      onDone();
    },
  };
  const addZone = useAction('post', `${BASE}/zones`, options);
  const addServers = useAction('post', `${BASE}/servers`, options);
  const replaceServer = useAction('post', `${BASE}/servers/{serverId}/replace`, options);
  const action = { addZone, addServers, replaceServer }[of?.growth ?? 'addZone'];
  const label = of === undefined ? '' : say(growthLabels[of.growth], language);
  const path = { id: cluster };
  const replace = () =>
    replaceServer.run({ path: { ...path, serverId: of?.server ?? 0 }, body: { hostId: asked.subject ?? 0 } });
  const submit = (values: Values) => {
    if (of?.growth === 'addZone') addZone.run({ path, body: values });
    if (of?.growth === 'addServers')
      addServers.run({ path, body: { zoneName: of.zone ?? '', servers: values.servers } });
    if (of?.growth === 'replaceServer') asked.show('replace', values.hostId);
  };
  const title = fill('{0}: {1}', label, of?.name ?? '');
  return (
    <>
      <FormDrawer<Values>
        open={open}
        title={title}
        submit={label}
        running={action.running}
        error={asked.is('replace') ? null : action.error}
        onSubmit={submit}
        onClose={() => {
          action.reset();
          onClose();
        }}
      >
        {of === undefined ? null : <Fields of={of} />}
      </FormDrawer>
      <ConfirmTyped
        open={asked.is('replace')}
        title={title}
        running={replaceServer.running}
        error={replaceServer.error}
        onConfirm={replace}
        onClose={() => {
          replaceServer.reset();
          asked.hide();
        }}
      >
        {w.hostHelp}
      </ConfirmTyped>
    </>
  );
}
