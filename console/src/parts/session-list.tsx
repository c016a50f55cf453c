// SPDX-License-Identifier: Apache-2.0
import { Tag } from 'antd';

import type { Row } from '../api/types';
import { useWords } from '../words';
import { common } from '../words.common';
import { RowActions } from './row-actions';
import { type Column, ServerTable } from './server-table';
import { Time } from './time';
import { useAction } from './use-action';

const words = {
  ...common,
  title: ['Sessions', '登录会话'],
  client: ['From', '来源地址'],
  browser: ['Browser', '浏览器'],
  began: ['Logged in', '登录时间'],
  seen: ['Last seen', '最近活动'],
  expires: ['Ends', '到期时间'],
  thisOne: ['this one', '当前会话'],
  end: ['End', '结束'],
  ended: ['The session was ended', '会话已结束'],
} as const;

const MINE = '/api/v2/profiles/me/sessions';
const OF_USER = '/api/v2/iam/users/{id}/sessions';
type Session = Row<typeof MINE>;

/** Sessions of the reader, or of a user by number. */
export function SessionList({ user }: { user?: number }) {
  const w = useWords(words);
  const mine = useAction('delete', '/api/v2/profiles/me/sessions/{id}', { done: w.ended, refreshes: [MINE] });
  const others = useAction('delete', '/api/v2/iam/users/{id}/sessions/{sessionId}', {
    done: w.ended,
    refreshes: [OF_USER],
  });
  const end = (s: Session) =>
    user === undefined
      ? mine.run({ path: { id: s.id ?? 0 } })
      : others.run({ path: { id: user, sessionId: s.id ?? 0 } });
  const columns: Column<Session>[] = [
    {
      title: w.client,
      render: (s) => (
        <>
          {s.clientIp} {s.current === true ? <Tag color="blue">{w.thisOne}</Tag> : null}
        </>
      ),
    },
    { title: w.browser, dataIndex: 'userAgent', ellipsis: true, width: 320 },
    { title: w.began, dataIndex: 'createTime', sort: true, render: (s) => <Time at={s.createTime} /> },
    { title: w.seen, render: (s) => <Time at={s.lastSeenTime} /> },
    { title: w.expires, render: (s) => <Time at={s.expireTime} /> },
    {
      title: w.actions,
      render: (s) => (
        <RowActions
          actions={[
            {
              label: w.end,
              danger: true,
              hidden: s.current === true,
              onClick: () => end(s),
              needs: user === undefined ? undefined : `USER:${user}:UPDATE`,
            },
          ]}
        />
      ),
    },
  ];
  return user === undefined ? (
    <ServerTable path={MINE} columns={columns} rowKey="id" label={w.title} prefix="s" />
  ) : (
    <ServerTable
      path={OF_USER}
      input={{ path: { id: user } }}
      columns={columns}
      rowKey="id"
      label={w.title}
      prefix="s"
    />
  );
}
