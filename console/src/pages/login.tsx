// SPDX-License-Identifier: Apache-2.0
import { useQueryClient } from '@tanstack/react-query';
import { Button, Card, Form, Input } from 'antd';
import { useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router-dom';

import { type ApiError, call } from '../api/call';
import { LanguageSwitch } from '../frame/language-switch';
import logo from '../frame/logo.svg';
import { ErrorView } from '../parts/error-view';
import { fill, useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  login: ['Log in', '登录'],
  username: ['User name', '用户名'],
} as const;

/** Where one was before: a path of ours, nothing that leads elsewhere. */
export const safeBack = (back: string | null) => (back !== null && /^\/(?![/\\])/.test(back) ? back : '/');

export default function Login() {
  const w = useWords(words);
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [error, setError] = useState<ApiError | null>(null);
  const [running, setRunning] = useState(false);
  const [form] = Form.useForm<{ username: string; password: string }>();

  const login = async (values: { username: string; password: string }) => {
    setRunning(true);
    setError(null);
    try {
      const got = await call('post', '/api/v2/iam/login', { body: values });
      client.clear();
      const back = safeBack(params.get('back'));
      await navigate(got.needChangePassword === true ? `/first-password?back=${encodeURIComponent(back)}` : back, {
        replace: true,
      });
    } catch (e) {
      setError(e as ApiError);
      form.resetFields(['password']);
      form.focusField('password');
    } finally {
      setRunning(false);
    }
  };

  return (
    <main className="centred">
      <Card style={{ width: 380, maxWidth: '100%' }}>
        <div style={{ display: 'flex', alignItems: 'center', gap: 10, marginBottom: 20 }}>
          <img src={logo} alt="" width={32} height={32} />
          <h1 style={{ fontSize: 18, margin: 0 }}>{w.product}</h1>
        </div>
        <Form form={form} layout="vertical" onFinish={(v) => void login(v)} requiredMark={false}>
          {error === null ? null : (
            <div style={{ marginBottom: 16 }}>
              <ErrorView error={error} />
            </div>
          )}
          <Form.Item
            name="username"
            label={w.username}
            rules={[{ required: true, message: fill(w.required, w.username) }]}
          >
            <Input autoComplete="username" autoFocus size="large" />
          </Form.Item>
          <Form.Item
            name="password"
            label={w.password}
            rules={[{ required: true, message: fill(w.required, w.password) }]}
          >
            <Input.Password autoComplete="current-password" size="large" />
          </Form.Item>
          <Button type="primary" htmlType="submit" size="large" block loading={running}>
            {w.login}
          </Button>
        </Form>
        <div style={{ marginTop: 12, textAlign: 'end' }}>
          <LanguageSwitch />
        </div>
      </Card>
    </main>
  );
}
