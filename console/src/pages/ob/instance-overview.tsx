// SPDX-License-Identifier: Apache-2.0
import { useGet } from '../../api/hooks';
import type { Data } from '../../api/types';
import { DetailCard } from '../../parts/detail-card';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { StaleTag } from '../../parts/stale-tag';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import { Resources } from './resources';
import { Connections, Whitelist } from './tenant-overview';
import { ob } from './words';

const words = {
  ...ob,
  fullVersion: ['Kernel', '内核版本'],
  architecture: ['Architecture', '硬件架构'],
  started: ['Serves since', '启动时间'],
  takenOver: ['Taken over', '接管时间'],
  by: ['By', '接管人'],
  seen: ['Last seen', '最近访问'],
  timeZone: ['Time zone', '时区'],
} as const;

type Cluster = Data<'get', '/api/v2/ob/clusters/{id}'>;

export function InstanceOverview({ of }: { of: Cluster }) {
  const w = useWords(words);
  const tenantId = of.tenants?.[0]?.id;
  const got = useGet(
    '/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}',
    { path: { clusterId: of.id ?? 0, tenantId: tenantId ?? 0 } },
    { enabled: tenantId !== undefined, everyMs: 10000 },
  );
  const server = of.zones?.[0]?.servers?.[0];
  const tenant = got.data;
  return (
    <>
      <DetailCard
        title={w.basics}
        extra={<StaleTag stale={got.stale} at={got.dataUpdatedAt} />}
        details={[
          { label: w.address, value: `${of.address ?? ''}:${of.port ?? ''}` },
          { label: w.version, value: of.obVersion },
          { label: w.fullVersion, value: of.fullVersion },
          { label: w.architecture, value: of.architecture },
          { label: w.charset, value: tenant?.charset },
          { label: w.collation, value: tenant?.collation },
          { label: w.timeZone, value: tenant?.timeZone },
          { label: w.started, value: <Time at={server?.startTime} /> },
          { label: w.takenOver, value: <Time at={of.createTime} /> },
          { label: w.by, value: of.creator },
          { label: w.seen, value: <Time at={of.lastSeenTime} /> },
        ]}
      />
      <Resources cluster={of.id ?? 0} />
      {got.error === null ? null : <ErrorView error={got.error} onRetry={() => void got.refetch()} />}
      {tenant === undefined ? (
        got.error === null && tenantId !== undefined && <Loading />
      ) : (
        <>
          <Connections of={tenant.connectionStrings} />
          <Whitelist of={tenant} />
        </>
      )}
    </>
  );
}
