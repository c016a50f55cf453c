// SPDX-License-Identifier: Apache-2.0
// Sessions of a cluster, or of one tenant of it; ending one asks for a word.
import { Typography } from 'antd';

import type { Row } from '../../api/types';
import { ConfirmTyped } from '../../parts/confirm-typed';
import { RowActions } from '../../parts/row-actions';
import { type Column, ServerTable } from '../../parts/server-table';
import { rounded } from '../../parts/size';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { ob } from './words';

const words = {
  ...ob,
  id: ['Number', '会话 ID'],
  from: ['From', '来源'],
  database: ['Database', '数据库'],
  command: ['Command', '命令'],
  state: ['State', '状态'],
  seconds: ['Seconds', '持续时间（秒）'],
  statement: ['Statement', 'SQL'],
  end: ['End', '关闭会话'],
  endStatement: ['End statement', '终止 SQL'],
  endTitle: ['End session {0}?', '关闭会话 {0}？'],
  statementTitle: ['End the statement of session {0}?', '终止会话 {0} 的 SQL？'],
  endText: [
    'Its client loses the connection; what it has not committed is rolled back.',
    '客户端连接将断开，未提交的事务将回滚。',
  ],
  statementText: ['The statement fails at its client; the session stays.', '正在执行的 SQL 将失败，会话保留。'],
  ended: ['Session {0} was ended', '会话 {0} 已关闭'],
  statementEnded: ['The statement of session {0} was ended', '会话 {0} 的 SQL 已终止'],
} as const;

const OF_CLUSTER = '/api/v2/ob/clusters/{id}/sessions';
const OF_TENANT = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/sessions';
type Session = Row<typeof OF_CLUSTER>;

function useKill(cluster: number, tenant: number | undefined, done: string, then: () => void) {
  const options = { done, quiet: true, refreshes: [OF_CLUSTER, OF_TENANT], then };
  const inCluster = useAction('post', `${OF_CLUSTER}/{sessionId}/kill`, options);
  const inTenant = useAction('post', `${OF_TENANT}/{sessionId}/kill`, options);
  const used = tenant === undefined ? inCluster : inTenant;
  const run = (s: Session, query: boolean) => {
    const body = { query, svrIp: s.svrIp, svrPort: s.svrPort };
    const path = { id: cluster, sessionId: s.id ?? 0 };
    if (tenant === undefined) inCluster.run({ path, body });
    else inTenant.run({ path: { ...path, tenantId: tenant }, body });
  };
  return { run, running: used.running, error: used.error, reset: used.reset };
}

export function Sessions({ cluster, tenant }: { cluster: number; tenant?: number }) {
  const w = useWords(words);
  const dialog = useDialog<Session>();
  const one = String(dialog.subject?.id ?? '');
  const onlyStatement = dialog.is('statement');
  const kill = useKill(cluster, tenant, fill(onlyStatement ? w.statementEnded : w.ended, one), dialog.hide);
  const needs = tenant === undefined ? `CLUSTER:${cluster}:UPDATE` : `CLUSTER:${cluster}:TENANT:${tenant}:UPDATE`;
  const columns: Column<Session>[] = [
    { title: w.id, dataIndex: 'id', sort: true },
    { title: w.user, dataIndex: 'dbUser' },
    ...(tenant === undefined ? [{ title: w.tenant, dataIndex: 'tenant' as const }] : []),
    { title: w.from, render: (s) => s.userClientIp ?? s.clientIp ?? '-' },
    { title: w.server, render: (s) => (s.svrIp === undefined ? '-' : `${s.svrIp}:${s.svrPort ?? ''}`) },
    { title: w.database, dataIndex: 'dbName' },
    { title: w.command, dataIndex: 'dbCommand' },
    { title: w.state, dataIndex: 'status' },
    { title: w.seconds, render: (s) => rounded(s.timeSeconds) },
    {
      title: w.statement,
      width: 360,
      render: (s) =>
        (s.info ?? '') === '' ? (
          '-'
        ) : (
          <Typography.Paragraph code style={{ margin: 0 }} ellipsis={{ rows: 2, expandable: true }}>
            {s.info}
          </Typography.Paragraph>
        ),
    },
    {
      title: w.actions,
      fixed: 'end',
      render: (s) => (
        <RowActions
          actions={[
            { label: w.end, danger: true, needs, onClick: () => dialog.show('session', s) },
            {
              label: w.endStatement,
              danger: true,
              needs,
              hidden: (s.info ?? '') === '',
              onClick: () => dialog.show('statement', s),
            },
          ]}
        />
      ),
    },
  ];
  const common = { columns, rowKey: (s: Session) => `${s.svrIp ?? ''} ${s.id ?? ''}`, label: w.sessions };
  return (
    <>
      {tenant === undefined ? (
        <ServerTable path={OF_CLUSTER} input={{ path: { id: cluster } }} {...common} />
      ) : (
        <ServerTable path={OF_TENANT} input={{ path: { id: cluster, tenantId: tenant } }} {...common} />
      )}
      <ConfirmTyped
        open={dialog.is('session') || onlyStatement}
        title={fill(onlyStatement ? w.statementTitle : w.endTitle, one)}
        word="kill"
        running={kill.running}
        error={kill.error}
        onConfirm={() => dialog.subject && kill.run(dialog.subject, onlyStatement)}
        onClose={() => {
          kill.reset();
          dialog.hide();
        }}
      >
        {onlyStatement ? w.statementText : w.endText}
      </ConfirmTyped>
    </>
  );
}
