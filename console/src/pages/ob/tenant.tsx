// SPDX-License-Identifier: Apache-2.0
import { Navigate, Link, useParams } from 'react-router-dom';

import { useGet } from '../../api/hooks';
import { ObjectPage } from '../../parts/object-page';
import { ObjectTabs } from '../../parts/object-tabs';
import { StatusTag } from '../../parts/status-tag';
import { useWords } from '../../words';
import { AwayNote, AwayTag } from './away';
import { TenantActions } from './tenant-actions';
import { TenantOverview } from './tenant-overview';
import { LockTag } from './tenant-table';
import { tenantTabs } from './tenant-tabs';
import { ob } from './words';

const words = { ...ob, oracle: ['Oracle mode', 'Oracle 模式'], mysql: ['MySQL mode', 'MySQL 模式'] } as const;

const PATH = '/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}';

export default function Tenant() {
  const w = useWords(words);
  const params = useParams();
  const path = { clusterId: Number(params.clusterId), tenantId: Number(params.tenantId) };
  const got = useGet(PATH, { path }, { everyMs: 10000 });
  const cluster = useGet('/api/v2/ob/clusters/{id}', { path: { id: path.clusterId } }, { everyMs: 10000 });
  if (got.data?.engine === 'SEEKDB') return <Navigate to={`/cluster/${path.clusterId}`} replace />;
  return (
    <ObjectPage
      got={got}
      title={(t) => t.name}
      tags={(t) => (
        <>
          <StatusTag status={t.status} />
          <LockTag locked={t.locked} readonly={t.readonly} />
          <AwayTag of={cluster.data} />
          <span>{t.mode === 'ORACLE' ? w.oracle : w.mysql}</span>
          <Link to={`/cluster/${path.clusterId}`}>{t.clusterName}</Link>
        </>
      )}
      actions={(t) => <TenantActions of={t} />}
    >
      {(t) => (
        <>
          {cluster.data === undefined ? null : <AwayNote of={cluster.data} />}
          <ObjectTabs
            base={`/cluster/${path.clusterId}/tenant/${path.tenantId}`}
            label={t.name ?? ''}
            tabs={[
              { key: '', label: w.overview, children: () => <TenantOverview of={t} /> },
              ...tenantTabs({ cluster: path.clusterId, tenant: path.tenantId, mode: t.mode, w }),
            ]}
          />
        </>
      )}
    </ObjectPage>
  );
}
