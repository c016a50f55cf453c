// SPDX-License-Identifier: Apache-2.0
// Capacity of one cluster, and what is used of it.
import { Card, Flex } from 'antd';

import { useGet } from '../../api/hooks';
import type { Data } from '../../api/types';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { StaleTag } from '../../parts/stale-tag';
import { Usage } from '../../parts/usage';
import { useWords } from '../../words';
import { ob } from './words';

const words = { ...ob, logUsed: ['Log disk in use', '日志盘已用'] } as const;

const PATH = '/api/v2/ob/clusters/{id}/stats';

/** Bars of what a cluster, a server or all of them have. */
export function UsageBars({ of }: { of: Data<'get', typeof PATH> }) {
  const w = useWords(words);
  const bars = [
    { label: w.cpu, used: of.cpuAssigned, total: of.cpuTotal, cores: true },
    { label: w.memory, used: of.memoryAssignedByte, total: of.memoryTotalByte },
    { label: w.dataDisk, used: of.dataDiskUsedByte, total: of.dataDiskTotalByte, runsOut: true },
    { label: w.logDisk, used: of.logDiskAssignedByte, total: of.logDiskTotalByte },
    { label: w.logUsed, used: of.logDiskUsedByte, total: of.logDiskTotalByte, runsOut: true },
  ].filter((b) => b.used !== undefined && (b.total ?? 0) > 0);
  return (
    <Flex gap={32} wrap>
      {bars.map((b) => (
        <div key={b.label}>
          <div>{b.label}</div>
          <Usage {...b} width={170} />
        </div>
      ))}
    </Flex>
  );
}

export function Resources({ cluster }: { cluster: number }) {
  const w = useWords(words);
  const got = useGet(PATH, { path: { id: cluster } }, { everyMs: 10000 });
  return (
    <Card
      size="small"
      title={w.resources}
      extra={<StaleTag stale={got.stale} at={got.dataUpdatedAt} />}
      style={{ marginBottom: 16 }}
    >
      {got.error === null ? null : <ErrorView error={got.error} onRetry={() => void got.refetch()} />}
      {got.data === undefined ? got.error === null && <Loading /> : <UsageBars of={got.data} />}
    </Card>
  );
}
