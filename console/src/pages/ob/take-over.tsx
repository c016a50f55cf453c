// SPDX-License-Identifier: Apache-2.0
// Taking over: where the cluster is, what stands against it, then the task that does it.
import { Checkbox, Flex, Form, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';

import type { Body, Data } from '../../api/types';
import { CheckedForm, Verdict } from '../../parts/checked-form';
import { DetailCard } from '../../parts/detail-card';
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
  const fine = found.result?.valid === true;
  return (
    <>
      <Verdict fine={fine} title={fine ? w.fine : w.notYet} reasons={found.result?.messages} />
      {fine ? (
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
  const bodyOf = (values: Wish) => ({
    ...values,
    rootSysPassword: values.rootSysPassword ?? '',
    clusterName: values.clusterName || undefined,
  });
  return (
    <>
      <PageHead title={w.title} />
      <CheckedForm<Wish>
        intro={w.intro}
        width={720}
        form={form}
        initial={{ connectionMode: 'direct', port: 2881, saveToCredential: true }}
        look={{ label: w.check, action: check, send: (values) => check.run({ body: bodyOf(values) }) }}
        act={{ label: w.takeOver, action: start, send: (values) => start.run({ body: bodyOf(values) }) }}
        ready={found?.result?.valid === true}
        found={found && <Outcome found={found} />}
        onForget={() => setFound(undefined)}
        onCancel={() => void navigate('/cluster')}
      >
        <TargetFields proxy={mode === 'proxy'} />
      </CheckedForm>
    </>
  );
}
