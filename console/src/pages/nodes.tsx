// SPDX-License-Identifier: Apache-2.0
// The nodes that are this OCP: who leads them, how each does, who led before, and who does the standing work.
import { ErrorView } from '../parts/error-view';
import { Loading } from '../parts/loading';
import { ObjectTabs } from '../parts/object-tabs';
import { PageHead } from '../parts/page-head';
import { StaleTag } from '../parts/stale-tag';
import { useDialog } from '../parts/use-dialog';
import { useWords } from '../words';
import { NodeDialogs } from './nodes/actions';
import { AddNode } from './nodes/add';
import { LeaderCard } from './nodes/leader-card';
import { Leaderships } from './nodes/leaderships';
import { Leases } from './nodes/leases';
import { type Node, useCluster } from './nodes/model';
import { NodeTable } from './nodes/node-table';
import { nodeWords } from './nodes/words';

const words = {
  ...nodeWords,
  nodes: ['Nodes', '节点'],
  history: ['Leaderships', '主节点变更记录'],
} as const;

export default function Nodes() {
  const w = useWords(words);
  const dialog = useDialog<Node>();
  const { cluster, error, stale, at, again } = useCluster();
  const tabs = [
    { key: '', label: w.nodes, children: () => <NodeTable nodes={cluster?.nodes ?? []} dialog={dialog} /> },
    { key: 'leadership', label: w.history, children: () => <Leaderships /> },
    { key: 'lease', label: w.leases, children: () => <Leases /> },
  ];
  return (
    <>
      <PageHead title={w.title} tags={<StaleTag stale={stale} at={at} />}>
        <AddNode />
      </PageHead>
      <NodeDialogs dialog={dialog} />
      {error === null || (stale && error.isAway) ? null : (
        <div style={{ marginBottom: 12 }}>
          <ErrorView error={error} onRetry={again} />
        </div>
      )}
      {cluster === undefined ? (
        error === null ? (
          <Loading />
        ) : null
      ) : (
        <>
          <LeaderCard of={cluster} />
          <ObjectTabs base="/ocp-node" tabs={tabs} label={w.title} />
        </>
      )}
    </>
  );
}
