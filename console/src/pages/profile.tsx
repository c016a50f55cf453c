// SPDX-License-Identifier: Apache-2.0
import { Button, Card, Tag } from 'antd';

import { useGet } from '../api/hooks';
import type { Body } from '../api/types';
import { DetailCard } from '../parts/detail-card';
import { FormDrawer } from '../parts/form-drawer';
import { ObjectPage } from '../parts/object-page';
import { PasswordForm } from '../parts/password-form';
import { SessionList } from '../parts/session-list';
import { Time } from '../parts/time';
import { useAction } from '../parts/use-action';
import { useDialog } from '../parts/use-dialog';
import { useMay } from '../session';
import { useWords } from '../words';
import { ContactFields, userWords } from './user-form';

const words = {
  ...userWords,
  basics: ['Basics', '基本信息'],
  change: ['Change password', '修改密码'],
  sessions: ['Where you are logged in', '登录会话'],
  saved: ['Your profile was saved', '个人信息已保存'],
} as const;

const PATH = '/api/v2/profiles/me';

export default function Profile() {
  const w = useWords(words);
  const may = useMay();
  const me = useGet(PATH, {});
  const dialog = useDialog();
  const save = useAction('patch', PATH, { done: w.saved, quiet: true, refreshes: [PATH], then: dialog.hide });
  return (
    <ObjectPage
      got={me}
      title={(u) => u.username}
      actions={() =>
        may('PROFILE:*:UPDATE') ? (
          <Button type="primary" onClick={() => dialog.show('edit')}>
            {w.edit}
          </Button>
        ) : null
      }
    >
      {(u) => (
        <>
          <DetailCard
            title={w.basics}
            details={[
              { label: w.roles, value: (u.roles ?? []).map((r) => <Tag key={r.id}>{r.name}</Tag>) },
              { label: w.email, value: u.email },
              { label: w.phone, value: u.phone },
              { label: w.department, value: u.department },
              { label: w.created, value: <Time at={u.createTime} /> },
              { label: w.lastLogin, value: <Time at={u.lastLoginTime} /> },
              { label: w.description, value: u.description },
            ]}
          />
          <Card title={w.change} size="small" style={{ marginBottom: 16 }}>
            <PasswordForm />
          </Card>
          <Card title={w.sessions} size="small">
            <SessionList />
          </Card>
          <FormDrawer<Body<'patch', typeof PATH>>
            open={dialog.is('edit')}
            title={w.edit}
            initial={u}
            running={save.running}
            error={save.error}
            onClose={dialog.hide}
            onSubmit={(body) => save.run({ body })}
          >
            <ContactFields />
          </FormDrawer>
        </>
      )}
    </ObjectPage>
  );
}
