// SPDX-License-Identifier: Apache-2.0
// One cluster; or one seekdb instance, which is shown as what it is: a server with its tenant, no zones around it.
import { useParams } from 'react-router-dom';

import { useGet } from '../../api/hooks';
import type { Data } from '../../api/types';
import { ObjectPage } from '../../parts/object-page';
import { ObjectTabs } from '../../parts/object-tabs';
import { StatusTag } from '../../parts/status-tag';
import { useWords } from '../../words';
import { AwayNote, AwayTag } from './away';
import { ClusterActions } from './cluster-actions';
import { ClusterOverview } from './cluster-overview';
import { ClusterParameters } from './cluster-parameters';
import { ServerList, ZoneList } from './cluster-parts';
import { Compactions } from './compactions';
import { InstanceOverview } from './instance-overview';
import { Sessions } from './sessions';
import { TenantTable } from './tenant-table';
import { tenantTabs } from './tenant-tabs';
import { Topology } from './topology';
import { UnitList } from './units';
import { ob } from './words';

const words = { ...ob, topology: ['Topology', '拓扑图'] } as const;

const PATH = '/api/v2/ob/clusters/{id}';
type Cluster = Data<'get', typeof PATH>;

function ClusterTabs({ of }: { of: Cluster }) {
  const w = useWords(words);
  const id = of.id ?? 0;
  return (
    <ObjectTabs
      base={`/cluster/${id}`}
      label={of.name ?? ''}
      tabs={[
        { key: '', label: w.overview, children: () => <ClusterOverview of={of} /> },
        { key: 'topology', label: w.topology, children: () => <Topology of={of} /> },
        { key: 'zone', label: w.zones, children: () => <ZoneList cluster={id} name={of.name ?? ''} /> },
        { key: 'server', label: w.servers, children: () => <ServerList cluster={id} /> },
        { key: 'unit', label: w.units, children: () => <UnitList of={of} /> },
        { key: 'tenant', label: w.tenants, children: () => <TenantTable cluster={id} /> },
        { key: 'parameter', label: w.parameters, children: () => <ClusterParameters of={of} /> },
        { key: 'session', label: w.sessions, children: () => <Sessions cluster={id} /> },
        { key: 'compaction', label: w.compaction, children: () => <Compactions cluster={id} /> },
      ]}
    />
  );
}

function InstanceTabs({ of }: { of: Cluster }) {
  const w = useWords(words);
  const cluster = of.id ?? 0;
  const tenant = of.tenants?.[0]?.id;
  const inside = tenant === undefined ? [] : tenantTabs({ cluster, tenant, mode: 'MYSQL', w });
  return (
    <ObjectTabs
      base={`/cluster/${cluster}`}
      label={of.name ?? ''}
      tabs={[
        { key: '', label: w.overview, children: () => <InstanceOverview of={of} /> },
        ...inside,
        { key: 'kernel-parameter', label: w.kernelParameters, children: () => <ClusterParameters of={of} /> },
      ]}
    />
  );
}

export default function Cluster() {
  const id = Number(useParams().id);
  const got = useGet(PATH, { path: { id } }, { everyMs: 10000 });
  const w = useWords(words);
  return (
    <ObjectPage
      got={got}
      title={(c) => c.name}
      tags={(c) => (
        <>
          <StatusTag status={c.status} as={c.status === 'RUNNING' ? 'success' : undefined} />
          <AwayTag of={c} />
          <span>
            {c.engine === 'SEEKDB' ? w.instance : 'OceanBase'} {c.obVersion}
          </span>
        </>
      )}
      actions={(c) => <ClusterActions of={c} />}
    >
      {(c) => (
        <>
          <AwayNote of={c} />
          {c.engine === 'SEEKDB' ? <InstanceTabs of={c} /> : <ClusterTabs of={c} />}
        </>
      )}
    </ObjectPage>
  );
}
