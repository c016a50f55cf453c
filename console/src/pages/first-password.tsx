// SPDX-License-Identifier: Apache-2.0
import { Card } from 'antd';
import { useNavigate, useSearchParams } from 'react-router-dom';

import { LanguageSwitch } from '../frame/language-switch';
import { PasswordForm } from '../parts/password-form';
import { useWords } from '../words';
import { safeBack } from './login';

const words = {
  title: ['Choose a password of your own', '设置您自己的密码'],
  why: [
    'The present one was given to you by somebody else. Nothing else can be done before.',
    '当前密码由他人设定，修改后才能继续使用。',
  ],
} as const;

export default function FirstPassword() {
  const w = useWords(words);
  const navigate = useNavigate();
  const [params] = useSearchParams();
  return (
    <main className="centred">
      <Card style={{ width: 420, maxWidth: '100%' }}>
        <h1 style={{ fontSize: 18, margin: '0 0 8px' }}>{w.title}</h1>
        <p>{w.why}</p>
        <PasswordForm onDone={() => void navigate(safeBack(params.get('back')), { replace: true })} />
        <div style={{ marginTop: 12, textAlign: 'end' }}>
          <LanguageSwitch />
        </div>
      </Card>
    </main>
  );
}
