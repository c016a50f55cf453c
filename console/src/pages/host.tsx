// SPDX-License-Identifier: Apache-2.0
// One host: what it is, its agent, and the tasks about it.
import { Button, Input, Tag } from 'antd';
import { useParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Body, Data } from '../api/types';
import { DetailCard } from '../parts/detail-card';
import { Field } from '../parts/field';
import { FormDrawer } from '../parts/form-drawer';
import { ObjectPage } from '../parts/object-page';
import { IfMay } from '../parts/permission-guard';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useAction } from '../parts/use-action';
import { useDialog } from '../parts/use-dialog';
import { fill, say, useLanguage, useWords } from '../words';
import { kinds } from './host-kinds';
import { AgentCard } from './hosts/agent';
import { DeleteHosts } from './hosts/delete';
import { HostFields, portsOf, type Typed } from './hosts/fields';
import { SshKey } from './hosts/ssh-key';
import { hostWords } from './hosts/words';
import { TaskTable } from './tasks/task-table';

const words = {
  ...hostWords,
  basics: ['Basics', '基本信息'],
  system: ['Operating system', '操作系统'],
  architecture: ['Architecture', '架构'],
  serial: ['Serial number', '序列号'],
  key: ['SSH key', 'SSH 主机密钥'],
  tasks: ['Tasks', '任务'],
  editTitle: ['Edit {0}', '编辑 {0}'],
  published: ['Published ports', '发布的端口'],
  changed: ['The host was changed', '主机信息已修改'],
} as const;

const PATH = '/api/v2/compute/hosts/{hostId}';
type Host = Data<'get', typeof PATH>;
type Change = Omit<Body<'patch', typeof PATH>, 'publishPorts'> & Typed;

function Basics({ of: h }: { of: Host }) {
  const w = useWords(words);
  const { language } = useLanguage();
  const users = (h.services ?? []).filter((s) => s.type !== 'OCP_AGENT');
  return (
    <DetailCard
      title={w.basics}
      details={[
        { label: w.name, value: h.name },
        { label: w.alias, value: h.alias },
        { label: w.address, value: h.innerIpAddress },
        { label: w.sshPort, value: h.sshPort },
        { label: w.published, value: h.publishPorts || '-' },
        {
          label: w.kind,
          value: h.kind === undefined ? '-' : say(kinds[h.kind as keyof typeof kinds] ?? [h.kind, h.kind], language),
        },
        { label: w.hostType, value: h.typeName },
        { label: w.idc, value: h.idcName },
        { label: w.region, value: h.regionName },
        { label: w.system, value: [h.operatingSystem, h.operatingSystemRelease].filter(Boolean).join(' ') || '-' },
        { label: w.architecture, value: h.architecture },
        { label: w.serial, value: h.serialNumber },
        { label: w.created, value: <Time at={h.createTime} /> },
        { label: w.description, value: h.description },
        {
          label: w.services,
          value:
            users.length === 0
              ? w.none
              : users.map((s) => <Tag key={s.name}>{`${s.name ?? ''} ${s.version ?? ''}`}</Tag>),
        },
      ]}
    />
  );
}

function EditHost({ of, open, onClose }: { of: Host; open: boolean; onClose: () => void }) {
  const w = useWords(words);
  const change = useAction('patch', PATH, {
    done: w.changed,
    quiet: true,
    refreshes: ['/api/v2/compute/hosts'],
    then: onClose,
  });
  const { alias, description, sshPort, kind, idcId, typeId } = of;
  const publishPorts = of.publishPorts?.split(',').filter((port) => port !== '');
  return (
    <FormDrawer<Change>
      open={open}
      title={fill(w.editTitle, of.innerIpAddress ?? '')}
      initial={{ alias, description, sshPort, kind: kind as Change['kind'], publishPorts, idcId, typeId }}
      running={change.running}
      error={change.error}
      onClose={() => {
        change.reset();
        onClose();
      }}
      onSubmit={(typed) => change.run({ path: { hostId: of.id ?? 0 }, body: { ...typed, ...portsOf(typed) } })}
    >
      <HostFields needsCredential={false} />
      <Field name="description" label={w.description}>
        <Input.TextArea rows={2} maxLength={255} />
      </Field>
    </FormDrawer>
  );
}

export default function HostPage() {
  const w = useWords(words);
  const id = Number(useParams().id);
  const dialog = useDialog();
  const got = useGet(PATH, { path: { hostId: id } }, { everyMs: 5000 });
  return (
    <ObjectPage
      got={got}
      title={(h) => h.innerIpAddress}
      tags={(h) => <StatusTag status={h.status} />}
      actions={() => (
        <>
          <Button onClick={() => dialog.show('key')}>{w.key}</Button>
          <IfMay needs={`HOST:${id}:UPDATE`}>
            <Button onClick={() => dialog.show('edit')}>{w.edit}</Button>
          </IfMay>
          <IfMay needs={`HOST:${id}:DELETE`}>
            <Button danger onClick={() => dialog.show('remove')}>
              {w.remove}
            </Button>
          </IfMay>
        </>
      )}
    >
      {(h) => (
        <>
          <Basics of={h} />
          <AgentCard host={id} address={h.innerIpAddress ?? ''} has={h.hostAgentId !== undefined} />
          <IfMay needs="TASK:*:READ">
            <h2 style={{ fontSize: 14 }}>{w.tasks}</h2>
            <TaskTable of={{ hostId: id }} />
          </IfMay>
          <EditHost of={h} open={dialog.is('edit')} onClose={dialog.hide} />
          <SshKey host={id} open={dialog.is('key')} onClose={dialog.hide} />
          <DeleteHosts open={dialog.is('remove')} hosts={[h]} onClose={dialog.hide} />
        </>
      )}
    </ObjectPage>
  );
}
