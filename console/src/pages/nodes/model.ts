// SPDX-License-Identifier: Apache-2.0
// The cluster of nodes as the page shows it, of several sources: what each node wrote about itself into MetaDB; what the node that answers
// sees of the others, which needs neither MetaDB nor a leader; what the leader sees of them; and the leadership that was claimed last.
import { useGet } from '../../api/hooks';
import type { Data, Row } from '../../api/types';

const NODES = '/api/v2/ocp/nodes';
const MEMBERS = '/members';
const CLUSTER = '/api/v2/ocp/cluster';
const LEADERSHIPS = '/api/v2/ocp/leaderships';
const LEASES = '/api/v2/ocp/leases';
const LIVE_MS = 2000,
  SLOW_MS = 10000;
const MOST_NODES = 100,
  SHARDS = 256;

type NodeRow = Row<typeof NODES>;
type Member = Row<typeof MEMBERS>;
type Lease = Row<typeof LEASES>;
type Whole = Data<'get', typeof CLUSTER>;
type Follower = NonNullable<Whole['members']>[number];

export interface Node extends NodeRow {
  member?: Member;
  /** As the leader sees it. */
  follower?: Follower;
  leads: boolean;
  leases?: number;
  /** When its certificate ends. */
  certificateExpireTime?: string;
}

export interface Cluster {
  nodes: Node[];
  /** The name of who leads; undefined: nobody does, as far as the node that answers knows. */
  leader?: string;
  /** What it says about itself. */
  view?: Whole;
  /** How many voters may be lost. */
  tolerates?: number;
  /** A change of members is under way. */
  changing: boolean;
  /** Claimed last, by whomever. */
  last?: Row<typeof LEADERSHIPS>;
}

const byName = (a: Node, b: Node) => (a.name ?? '').localeCompare(b.name ?? '', undefined, { numeric: true });

/* While nobody leads, the node that was asked says what it knows; of itself only a leader says whether it is active. */
const saidByLeader = (whole: Whole | undefined) => whole?.active !== undefined;

/* Members that have no row of their own yet are shown, too. */
function merge(rows: NodeRow[], members: Member[], whole: Whole | undefined, leases: Lease[] | undefined): Node[] {
  const leaderId = members.find((m) => m.leader === true)?.id;
  const nodeOf = (id: number | undefined): Node => {
    const member = members.find((m) => m.id === id);
    const seen = whole?.members?.find((m) => m.id === id);
    return {
      ...member,
      ...rows.find((n) => n.id === id),
      id,
      member,
      follower: saidByLeader(whole) && seen?.connected !== undefined ? seen : undefined,
      leads: id === leaderId,
      leases: leases?.filter((l) => l.nodeId === id).length,
      certificateExpireTime: seen?.certificateExpireTime,
    };
  };
  return [...new Set([...rows, ...members].map((n) => n.id))].map(nodeOf).sort(byName);
}

export function useCluster() {
  const rows = useGet(NODES, { query: { size: MOST_NODES } }, { everyMs: LIVE_MS });
  const members = useGet(MEMBERS, {}, { everyMs: LIVE_MS });
  const whole = useGet(CLUSTER, {}, { everyMs: LIVE_MS });
  const leaderships = useGet(LEADERSHIPS, { query: { size: 1, sort: 'epoch,desc' } }, { everyMs: LIVE_MS });
  const leases = useGet(LEASES, { query: { size: SHARDS } }, { everyMs: SLOW_MS });
  const needed = [rows, members, leaderships];
  const known = needed.filter((q) => q.data !== undefined);
  const nodes = merge(rows.data?.contents ?? [], members.data?.contents ?? [], whole.data, leases.data?.contents);
  const leader = nodes.find((n) => n.leads);
  const cluster: Cluster = {
    nodes,
    leader: leader?.name,
    view: saidByLeader(whole.data) && whole.data?.leaderId === leader?.id ? whole.data : undefined,
    tolerates: whole.data?.tolerates,
    changing: whole.data?.changing === true,
    last: leaderships.data?.contents?.[0],
  };
  return {
    cluster: rows.data === undefined && members.data === undefined ? undefined : cluster,
    error: needed.find((q) => q.error !== null)?.error ?? null,
    stale: needed.some((q) => q.stale),
    at: Math.min(...known.map((q) => q.dataUpdatedAt)),
    again: () => needed.forEach((q) => void q.refetch()),
  };
}
