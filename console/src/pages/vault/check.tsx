// SPDX-License-Identifier: Apache-2.0
// Stored credentials, tried: what each place answered.
import { Drawer, Table, Typography } from 'antd';

import type { Data } from '../../api/types';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { StatusTag } from '../../parts/status-tag';
import type { useAction } from '../../parts/use-action';
import { fill, useWords } from '../../words';
import { common } from '../../words.common';

const words = {
  ...common,
  title: ['What the logins gave', '验证结果'],
  host: ['Host {0}', '主机 {0}'],
  where: ['Tried at', '验证位置'],
  result: ['Result', '结果'],
  why: ['What was answered', '说明'],
  nowhere: ['Nothing says where to try it', '未指定验证位置'],
} as const;

export const CHECK = '/api/v2/profiles/me/credentials/validate';
type Check = NonNullable<Data<'post', typeof CHECK>['contents']>[number];
type Attempt = NonNullable<Check['attempts']>[number];

/** One row for each place; a credential without any has a row that says so. */
function rowsOf(checks: Check[]) {
  return checks.flatMap((c) => {
    const attempts: (Attempt | undefined)[] = c.attempts?.length ? c.attempts : [undefined];
    return attempts.map((attempt, i) => ({ key: `${c.id}.${i}`, name: c.name, attempt }));
  });
}
type Line = ReturnType<typeof rowsOf>[number];

function Why({ attempt }: { attempt: Attempt | undefined }) {
  const w = useWords(words);
  if (attempt === undefined) return w.nowhere;
  if (attempt.valid === false) return attempt.message;
  return attempt.fingerprint ? <Typography.Text code>{attempt.fingerprint}</Typography.Text> : '-';
}

interface Props {
  open: boolean;
  /** The operation that runs or has run. */
  check: Pick<ReturnType<typeof useAction<'post', typeof CHECK>>, 'running' | 'error'>;
  checks: Check[];
  onClose: () => void;
}

export function CheckDrawer({ open, check, checks, onClose }: Props) {
  const w = useWords(words);
  const place = ({ attempt }: Line) =>
    attempt?.address ?? (attempt?.hostId === undefined ? '-' : fill(w.host, attempt.hostId));
  return (
    <Drawer open={open} title={w.title} size={760} onClose={onClose} destroyOnHidden>
      {check.error ? <ErrorView error={check.error} /> : null}
      {check.running ? <Loading /> : null}
      {check.running || check.error ? null : (
        <Table<Line>
          aria-label={w.title}
          size="small"
          rowKey="key"
          dataSource={rowsOf(checks)}
          pagination={false}
          columns={[
            { title: w.name, dataIndex: 'name' },
            { title: w.where, render: (_, line) => place(line) },
            {
              title: w.result,
              render: (_, { attempt }) => (
                <StatusTag status={attempt === undefined ? 'SKIPPED' : attempt.valid ? 'SUCCESSFUL' : 'FAILED'} />
              ),
            },
            { title: w.why, render: (_, line) => <Why attempt={line.attempt} /> },
          ]}
        />
      )}
    </Drawer>
  );
}
