// SPDX-License-Identifier: Apache-2.0
// Adding hosts: they are looked at first, and what speaks against one is shown before anything is changed there.
import { Button, Form, Input } from 'antd';
import { useState } from 'react';

import type { Body } from '../../api/types';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { useAction } from '../../parts/use-action';
import { useWords } from '../../words';
import { HostFields, portsOf, type Typed } from './fields';
import { Findings, type Precheck } from './findings';
import { hostWords } from './words';

const words = {
  ...hostWords,
  add: ['Add hosts', '添加主机'],
  addresses: ['Addresses, one a line', 'IP 地址，每行一个'],
  look: ['Check', '检查'],
  lookAgain: ['Check again', '重新检查'],
  anyway: ['Add anyway', '仍然添加'],
  anywayHelp: [
    'The task that adds them looks again and stops where something is wrong; put it right, then run the step again.',
    '添加任务会再次检查，发现问题时停止；处理后可重试该子任务。',
  ],
  started: ['The hosts are being added', '正在添加主机'],
} as const;

const PATH = '/api/v2/compute/hosts';
type NewHosts = Body<'post', '/api/v2/compute/hosts/batchCreate'>;
type Values = Omit<NewHosts, 'hostBasicDataList' | 'publishPorts'> & Typed & { addresses: string };

const lines = (text: string) => text.split(/[\s,;，；]+/).filter((s) => s !== '');
const bodyOf = ({ addresses, ...rest }: Values): NewHosts => ({
  ...rest,
  ...portsOf(rest),
  hostBasicDataList: lines(addresses).map((innerIpAddress) => ({ innerIpAddress })),
});

export function AddHosts({ open, onClose }: { open: boolean; onClose: () => void }) {
  const w = useWords(words);
  const [form] = Form.useForm<Values>();
  const [found, setFound] = useState<{ of: string; result: Precheck }>();
  const now = JSON.stringify(Form.useWatch([], form));
  const close = () => {
    look.reset();
    add.reset();
    setFound(undefined);
    onClose();
  };
  const look = useAction('post', '/api/v2/compute/hosts/batchCreatePreCheck', {
    done: '',
    quiet: true,
    slow: true,
    refreshes: [],
    then: (result) => setFound({ of: JSON.stringify(form.getFieldsValue()), result }),
  });
  const add = useAction('post', '/api/v2/compute/hosts/batchCreate', {
    done: w.started,
    quiet: true,
    refreshes: [PATH, '/api/v2/tasks'],
    then: close,
  });
  const result = found !== undefined && found.of === now ? found.result : undefined; // of these very hosts
  const fine = result?.valid === true;
  const submit = (values: Values) => {
    add.reset();
    look.reset();
    (fine ? add : look).run({ body: bodyOf(values) });
  };
  return (
    <FormDrawer<Values>
      open={open}
      title={w.add}
      form={form}
      initial={{ sshPort: 22, kind: 'DEDICATED_PHYSICAL_MACHINE' }}
      submit={fine ? w.add : result === undefined ? w.look : w.lookAgain}
      running={add.running || look.running}
      error={add.error ?? look.error}
      onClose={close}
      onSubmit={submit}
      width={640}
    >
      <Field name="addresses" label={w.addresses} required>
        <Input.TextArea rows={4} autoFocus />
      </Field>
      <HostFields />
      <Field name="description" label={w.description}>
        <Input.TextArea rows={2} maxLength={255} />
      </Field>
      {result === undefined ? null : <Findings of={result} />}
      {result === undefined || fine ? null : (
        <>
          <p className="quiet">{w.anywayHelp}</p>
          <Button danger loading={add.running} onClick={() => add.run({ body: bodyOf(form.getFieldsValue()) })}>
            {w.anyway}
          </Button>
        </>
      )}
    </FormDrawer>
  );
}
