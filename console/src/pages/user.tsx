// SPDX-License-Identifier: Apache-2.0
import { Card, Tag } from 'antd';
import { useParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import { DetailCard } from '../parts/detail-card';
import { ObjectPage } from '../parts/object-page';
import { SessionList } from '../parts/session-list';
import { Time } from '../parts/time';
import { useWords } from '../words';
import { userWords } from './user-form';

const words = { ...userWords, basics: ['Basics', '基本信息'], sessions: ['Sessions', '登录会话'] } as const;

export default function User() {
  const w = useWords(words);
  const id = Number(useParams().id);
  const user = useGet('/api/v2/iam/users/{id}', { path: { id } });
  return (
    <ObjectPage
      got={user}
      title={(u) => u.username}
      tags={(u) => (
        <>
          {u.enabled === false ? <Tag>{w.disabled}</Tag> : null}
          {u.locked === true ? <Tag color="error">{w.locked}</Tag> : null}
        </>
      )}
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
          <Card title={w.sessions} size="small">
            <SessionList user={id} />
          </Card>
        </>
      )}
    </ObjectPage>
  );
}
