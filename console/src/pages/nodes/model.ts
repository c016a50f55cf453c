// SPDX-License-Identifier: Apache-2.0
// The cluster of nodes as the page shows it: what they wrote about themselves into MetaDB, and what the node that answers sees of them.
import { useGet } from '../../api/hooks';
import type { Data, Row } from '../../api/types';

const NODES = '/api/v2/ocp/nodes';
const MEMBERS = '/members';
const LEADERSHIPS = '/api/v2/ocp/leaderships';
const LEASES = '/api/v2/ocp/leases';
const LIVE_MS = 2000,
  SLOW_MS = 10000;
const MOST_NODES = 100,
  SHARDS = 256;

type Member = NonNullable<NonNullable<Data<'get', typeof MEMBERS>>['contents']>[number];
export type Node = Row<typeof NODES> & { member?: Member; leases?: number };
export type Leadership = Row<typeof LEADERSHIPS>;

export interface Cluster {
  nodes: Node[];
  /** The leadership that was claimed last. */
  last?: Leadership;
  /** Who leads now, as the node that answers knows. */
  leader?: Member;
}

const byName = (a: Node, b: Node) => (a.name ?? '').localeCompare(b.name ?? '', undefined, { numeric: true });

/* Members that have no row of their own yet are shown, too. */
function merge(rows: Row<typeof NODES>[], members: Member[], leases: Row<typeof LEASES>[] | undefined): Node[] {
  const ids = new Set([...rows, ...members].map((n) => n.id));
  const count = (id: number | undefined) => leases?.filter((l) => l.nodeId === id).length;
  return [...ids]
    .map((id) => {
      const member = members.find((m) => m.id === id);
      return { ...member, ...rows.find((n) => n.id === id), id, member, leases: count(id) };
    })
    .sort(byName);
}

export function useCluster() {
  const rows = useGet(NODES, { query: { size: MOST_NODES } }, { everyMs: LIVE_MS });
  const members = useGet(MEMBERS, {}, { everyMs: LIVE_MS });
  const leaderships = useGet(LEADERSHIPS, { query: { size: 1, sort: 'epoch,desc' } }, { everyMs: LIVE_MS });
  const leases = useGet(LEASES, { query: { size: SHARDS } }, { everyMs: SLOW_MS });
  const all = [rows, members, leaderships];
  const seen = members.data?.contents ?? [];
  const cluster: Cluster | undefined =
    rows.data === undefined && members.data === undefined
      ? undefined
      : {
          nodes: merge(rows.data?.contents ?? [], seen, leases.data?.contents),
          last: leaderships.data?.contents?.[0],
          leader: seen.find((m) => m.leader === true),
        };
  return {
    cluster,
    error: all.find((q) => q.error !== null)?.error ?? null,
    stale: all.some((q) => q.stale),
    at: Math.min(...all.filter((q) => q.data !== undefined).map((q) => q.dataUpdatedAt)),
    again: () => all.forEach((q) => void q.refetch()),
  };
}
