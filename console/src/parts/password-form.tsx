// SPDX-License-Identifier: Apache-2.0
import { Button, Form, Input } from 'antd';

import { fill, useWords } from '../words';
import { common } from '../words.common';
import { ErrorView } from './error-view';
import { PasswordAgain } from './password-again';
import { useAction } from './use-action';

const words = {
  ...common,
  present: ['Present password', '当前密码'],
  fresh: ['New password', '新密码'],
  again: ['New password, again', '确认新密码'],
  change: ['Change password', '修改密码'],
  changed: ['The password was changed', '密码已修改'],
} as const;

interface Values {
  present: string;
  fresh: string;
}

/** Changes one's own password. */
export function PasswordForm({ onDone }: { onDone?: () => void }) {
  const w = useWords(words);
  const [form] = Form.useForm<Values>();
  const change = useAction('post', '/api/v2/profiles/me/changePassword', {
    done: w.changed,
    refreshes: ['/api/v2/session'],
    quiet: true,
    then: () => {
      form.resetFields();
      onDone?.();
    },
  });
  const submit = ({ present, fresh }: Values) => change.run({ body: { currentPassword: present, newPassword: fresh } });
  const required = (label: string) => ({ required: true, message: fill(w.required, label) });
  return (
    <Form form={form} layout="vertical" onFinish={submit} requiredMark={false} style={{ maxWidth: 420 }}>
      {change.error ? (
        <div style={{ marginBottom: 16 }}>
          <ErrorView error={change.error} />
        </div>
      ) : null}
      <Form.Item name="present" label={w.present} rules={[required(w.present)]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Form.Item name="fresh" label={w.fresh} rules={[required(w.fresh)]}>
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <PasswordAgain of="fresh" name="again" label={w.again} />
      <Button type="primary" htmlType="submit" loading={change.running}>
        {w.change}
      </Button>
    </Form>
  );
}
