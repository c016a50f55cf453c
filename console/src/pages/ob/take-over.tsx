// SPDX-License-Identifier: Apache-2.0
// Taking over: where the cluster is, what stands against it, then the task that does it. What was found belongs to what was typed:
// another address or password is looked at anew.
import { Alert, Button, Card, Checkbox, Flex, Form, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';

import type { Body, Data } from '../../api/types';
import { DetailCard } from '../../parts/detail-card';
import { ErrorView } from '../../parts/error-view';
import { Field } from '../../parts/field';
import { PageHead } from '../../parts/page-head';
import { useAction } from '../../parts/use-action';
import { useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  title: ['Take over a cluster', '接管集群'],
  intro: [
    'A running OceanBase cluster or seekdb instance is managed from here from then on. It is only looked at; nothing about it is changed.',
    '接管后即可在此管理正在运行的 OceanBase 集群或 seekdb 实例；接管过程只读取信息，不会修改集群。',
  ],
  port: ['SQL port', 'SQL 端口'],
  how: ['Connection', '连接方式'],
  direct: ['To a server', '直连'],
  proxy: ['Through an OBProxy', '通过 OBProxy'],
  root: ['Password of root@sys', 'root@sys 密码'],
  nameHelp: [
    "Empty: the cluster's own name. Needed through an OBProxy.",
    '留空则使用集群自身名称；通过 OBProxy 连接时必填。',
  ],
  check: ['Check', '预检查'],
  takeOver: ['Take over', '接管'],
  fine: ['It can be taken over', '可以接管'],
  notYet: ['It cannot be taken over', '无法接管'],
  found: ['What was found', '检查结果'],
  number: ['Cluster number', '集群 ID'],
  engine: ['Kind', '类型'],
  started: ['The take-over has begun', '接管任务已开始'],
} as const;

const CHECK = '/api/v2/ob/clusters/takeOverPreCheck';
const TAKE_OVER = '/api/v2/ob/clusters/takeOver';
type Wish = Body<'post', typeof TAKE_OVER>;
type Found = Data<'post', typeof CHECK>;

function Outcome({ found }: { found: Found }) {
  const w = useWords(words);
  const valid = found.result?.valid === true;
  const reasons = (
    <ul style={{ margin: 0, paddingInlineStart: 18 }}>
      {found.result?.messages?.map((m) => (
        <li key={m}>{m}</li>
      ))}
    </ul>
  );
  return (
    <>
      <Alert
        type={valid ? 'success' : 'error'}
        role={valid ? 'status' : 'alert'}
        showIcon
        title={valid ? w.fine : w.notYet}
        description={valid ? undefined : reasons}
        style={{ marginBottom: 16 }}
      />
      {valid ? (
        <DetailCard
          title={w.found}
          details={[
            { label: w.name, value: found.clusterName },
            { label: w.engine, value: found.engine === 'SEEKDB' ? w.instance : w.cluster },
            { label: w.number, value: found.obClusterId },
          ]}
        />
      ) : null}
    </>
  );
}

function TargetFields({ proxy }: { proxy: boolean }) {
  const w = useWords(words);
  const modes = [
    { value: 'direct', label: w.direct },
    { value: 'proxy', label: w.proxy },
  ];
  return (
    <>
      <Field name="connectionMode" label={w.how}>
        <Select options={modes} />
      </Field>
      <Flex gap={16}>
        <Field name="address" label={w.address} required style={{ flex: 1 }}>
          <Input maxLength={255} autoFocus autoComplete="off" />
        </Field>
        <Field name="port" label={w.port} required>
          <InputNumber min={1} max={65535} precision={0} />
        </Field>
      </Flex>
      <Field name="rootSysPassword" label={w.root}>
        <Input.Password autoComplete="new-password" />
      </Field>
      <Field name="clusterName" label={w.name} required={proxy} extra={w.nameHelp}>
        <Input maxLength={128} autoComplete="off" />
      </Field>
      <Form.Item name="saveToCredential" valuePropName="checked">
        <Checkbox>{w.keepPassword}</Checkbox>
      </Form.Item>
    </>
  );
}

export default function TakeOver() {
  const w = useWords(words);
  const navigate = useNavigate();
  const [form] = Form.useForm<Wish>();
  const mode = Form.useWatch('connectionMode', form);
  const [found, setFound] = useState<Found>();
  const check = useAction('post', CHECK, { done: '', quiet: true, refreshes: [], then: setFound });
  const start = useAction('post', TAKE_OVER, {
    done: w.started,
    quiet: true,
    refreshes: ['/api/v2/ob/clusters', '/api/v2/tasks'],
    then: () => void navigate('/cluster'),
  });
  const ready = found?.result?.valid === true;
  const run = (values: Wish) => {
    const body = {
      ...values,
      rootSysPassword: values.rootSysPassword ?? '',
      clusterName: values.clusterName || undefined,
    };
    start.reset();
    if (ready) start.run({ body });
    else check.run({ body });
  };
  const error = start.error ?? check.error;
  return (
    <>
      <PageHead title={w.title} />
      <Card style={{ maxWidth: 720 }}>
        <p style={{ marginTop: 0 }}>{w.intro}</p>
        <Form<Wish>
          form={form}
          layout="vertical"
          requiredMark="optional"
          initialValues={{ connectionMode: 'direct', port: 2881, saveToCredential: true }}
          onFinish={run}
          onValuesChange={() => {
            setFound(undefined);
            check.reset();
          }}
        >
          <TargetFields proxy={mode === 'proxy'} />
          {error === null ? null : (
            <div style={{ marginBottom: 16 }}>
              <ErrorView error={error} />
            </div>
          )}
          {found === undefined ? null : <Outcome found={found} />}
          <Flex gap={8}>
            <Button type="primary" htmlType="submit" loading={check.running || start.running}>
              {ready ? w.takeOver : w.check}
            </Button>
            <Button onClick={() => void navigate('/cluster')}>{w.cancel}</Button>
          </Flex>
        </Form>
      </Card>
    </>
  );
}
