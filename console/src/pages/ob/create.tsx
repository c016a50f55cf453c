// SPDX-License-Identifier: Apache-2.0
// Creating a cluster on hosts of this OCP. What speaks against it is shown, all at once, before anything is done.
import { Button, Checkbox, Collapse, Flex, Form, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';

import { useGet } from '../../api/hooks';
import type { Body, Data } from '../../api/types';
import { CheckedForm, Verdict } from '../../parts/checked-form';
import { Field } from '../../parts/field';
import { PageHead } from '../../parts/page-head';
import { PasswordAgain } from '../../parts/password-again';
import { taskOf, useAction } from '../../parts/use-action';
import { fill, useWords } from '../../words';
import { ZoneFields } from './create-zones';
import { ob } from './words';

const words = {
  ...ob,
  title: ['Create a cluster', '新建集群'],
  intro: [
    'Zones stand on hosts that were added before, with the package that is installed there. Three zones in three places survive the loss of one.',
    '集群的 Zone 部署在已添加的主机上，使用所选软件包安装。部署三个 Zone 可容忍一个 Zone 故障。',
  ],
  package: ['Package', '软件包'],
  noPackage: ['Upload a package of the OceanBase server first', '请先上传 OceanBase 安装包'],
  rootPassword: ['Password of root', 'root 密码'],
  rootAgain: ['Password of root, again', '确认 root 密码'],
  primaryZone: ['Primary zone', 'Zone 优先级'],
  primaryHelp: [
    '"zone1;zone2,zone3": leaders go to zone1, else to one of the others. Empty: anywhere.',
    '例如 "zone1;zone2,zone3"，留空表示不区分优先级。',
  ],
  more: ['Directories, ports, user, proxies, parameters', '目录、端口、用户、代理与参数'],
  install: ['Directory of programs', '软件安装路径'],
  run: ['Directory in which observers run', '运行路径'],
  runHelp: ['Empty: below the directory of programs.', '留空表示与软件安装路径相同。'],
  proxyPassword: ['Password of proxyro', 'proxyro 密码'],
  proxyHelp: ['The user by which proxies log in. Empty: one is made.', 'OBProxy 登录集群所用的用户，留空则自动生成。'],
  data: ['Directory of data files', '数据文件路径'],
  log: ['Directory of the redo log', '日志文件路径'],
  osUser: ['User of the processes', '进程用户'],
  sqlPort: ['SQL port', 'SQL 端口'],
  rpcPort: ['RPC port', 'RPC 端口'],
  startup: ['Parameters of the first start', '启动参数'],
  parameter: ['Parameter {0}', '参数 {0}'],
  parameterValue: ['Value of parameter {0}', '参数 {0} 的值'],
  addParameter: ['Add a parameter', '添加参数'],
  check: ['Check', '检查'],
  fine: ['Nothing speaks against it so far. The task looks at the hosts first.', '检查通过。任务将首先检查主机。'],
  bad: ['What speaks against it: {0}', '{0} 项检查未通过'],
  created: ['The cluster is being created', '集群正在创建'],
} as const;

const PATH = '/api/v2/ob/clusters';
type Wish = Body<'post', typeof PATH>;
type Values = Omit<Wish, 'type'> & { again?: string };
type Found = Data<'post', '/api/v2/ob/clusters/createPreCheck'>;

const INITIAL = {
  zones: [1, 2, 3].map((n) => ({ name: `zone${n}` })),
  saveToCredential: true,
  attributes: {
    InstallPath: '/home/admin/oceanbase',
    DataDiskPath: '/data/1',
    LogDiskPath: '/data/log1',
    OperatingSystemUser: 'admin',
    SqlPort: 2881,
    SvrPort: 2882,
  },
};

function Basics() {
  const w = useWords(words);
  const packages = useGet('/api/v2/software-packages', {
    query: { page: 1, size: 2000, type: ['OB_SERVER_INSTALL_PACKAGE'], sort: 'createTime,desc' },
  });
  const files = (packages.data?.contents ?? []).map((p) => ({ value: p.fileName ?? '', label: p.fileName }));
  return (
    <>
      <Field name="name" label={w.name} required>
        <Input maxLength={64} autoFocus autoComplete="off" />
      </Field>
      <Field
        name="rpmName"
        label={w.package}
        required
        extra={packages.data !== undefined && files.length === 0 ? w.noPackage : undefined}
      >
        <Select options={files} showSearch={{ optionFilterProp: 'label' }} />
      </Field>
      <Flex gap={16} wrap>
        <Field name="password" label={w.rootPassword} required style={{ flex: '1 1 240px' }}>
          <Input.Password autoComplete="new-password" />
        </Field>
        <PasswordAgain of="password" name="again" label={w.rootAgain} style={{ flex: '1 1 240px' }} />
      </Flex>
      <Form.Item name="saveToCredential" valuePropName="checked">
        <Checkbox>{w.keepPassword}</Checkbox>
      </Form.Item>
    </>
  );
}

function Parameters() {
  const w = useWords(words);
  return (
    <Form.List name="startupParameters">
      {(fields, { add, remove }) => (
        <>
          {fields.map(({ name, key }, i) => (
            <Flex key={key} gap={12}>
              <Field name={[name, 'name']} label={fill(w.parameter, i + 1)} required style={{ flex: 1 }}>
                <Input maxLength={128} autoComplete="off" />
              </Field>
              <Field name={[name, 'value']} label={fill(w.parameterValue, i + 1)} required style={{ flex: 1 }}>
                <Input maxLength={1024} autoComplete="off" />
              </Field>
              <Button type="link" danger style={{ marginTop: 28 }} onClick={() => remove(name)}>
                {w.remove}
              </Button>
            </Flex>
          ))}
          <Button onClick={() => add({})}>{w.addParameter}</Button>
        </>
      )}
    </Form.List>
  );
}

function More() {
  const w = useWords(words);
  const text = (name: string, label: string, optional?: string) => (
    <Field
      name={['attributes', name]}
      label={label}
      required={optional === undefined}
      extra={optional}
      style={{ flex: '1 1 240px' }}
    >
      <Input maxLength={200} autoComplete="off" />
    </Field>
  );
  const port = (name: string, label: string) => (
    <Field name={['attributes', name]} label={label} required>
      <InputNumber min={1} max={65535} precision={0} />
    </Field>
  );
  return (
    <>
      <Field name="primaryZone" label={w.primaryZone} extra={w.primaryHelp}>
        <Input maxLength={512} autoComplete="off" />
      </Field>
      <Flex gap={16} wrap>
        {text('InstallPath', w.install)}
        {text('RunPath', w.run, w.runHelp)}
        {text('DataDiskPath', w.data)}
        {text('LogDiskPath', w.log)}
        {text('OperatingSystemUser', w.osUser)}
        {port('SqlPort', w.sqlPort)}
        {port('SvrPort', w.rpcPort)}
      </Flex>
      <Field name="proxyroPassword" label={w.proxyPassword} extra={w.proxyHelp} style={{ maxWidth: 460 }}>
        <Input.Password autoComplete="new-password" maxLength={128} />
      </Field>
      <p>{w.startup}</p>
      <Parameters />
    </>
  );
}

export default function CreateCluster() {
  const w = useWords(words);
  const navigate = useNavigate();
  const [found, setFound] = useState<Found>();
  const check = useAction('post', `${PATH}/createPreCheck`, { done: '', quiet: true, refreshes: [], then: setFound });
  const create = useAction('post', PATH, {
    done: w.created,
    quiet: true,
    refreshes: ['/api/v2/ob', '/api/v2/tasks', '/api/v2/compute/hosts'],
    then: (task) => void navigate(`/task/${taskOf(task) ?? ''}`),
  });
  const bodyOf = (values: Values) => ({ ...values, again: undefined, type: 'PRIMARY' });
  const ready = found?.valid === true;
  const reasons = found?.messages ?? [];
  return (
    <>
      <PageHead title={w.title} />
      <CheckedForm<Values>
        intro={w.intro}
        width={960}
        initial={INITIAL as Partial<Values>}
        look={{ label: w.check, action: check, send: (values) => check.run({ body: bodyOf(values) }) }}
        act={{ label: w.create, action: create, send: (values) => create.run({ body: bodyOf(values) }) }}
        ready={ready}
        found={found && <Verdict fine={ready} title={ready ? w.fine : fill(w.bad, reasons.length)} reasons={reasons} />}
        onForget={() => setFound(undefined)}
        onCancel={() => void navigate('/cluster')}
      >
        <Basics />
        <h2 style={{ fontSize: 14 }}>{w.zones}</h2>
        <ZoneFields />
        <Collapse
          ghost
          style={{ margin: '16px 0' }}
          items={[{ key: 'more', label: w.more, children: <More />, forceRender: true }]}
        />
      </CheckedForm>
    </>
  );
}
