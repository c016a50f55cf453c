// SPDX-License-Identifier: Apache-2.0
// Every node of this OCP: what it is for the others, and how it does.
import { Table, Tag } from 'antd';
import type { ColumnType } from 'antd/es/table';

import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { useWords } from '../../words';
import type { Node } from './model';
import { nodeWords } from './words';

const words = {
  ...nodeWords,
  thisOne: ['answers you', '当前节点'],
  follower: ['Follower', '从节点'],
  standby: ['Standby', '备用节点'],
  spare: ['Joining', '加入中'],
  unknown: ['No member', '非集群成员'],
  heard: ['Connection', '连接'],
  connected: ['Connected', '已连接'],
  silent: ['Not connected', '未连接'],
  dead: ['No process there', '进程不存在'],
  seen: ['Last heard', '最近心跳'],
  address: ['API address', 'API 地址'],
  peer: ['Peer address', '节点间地址'],
  started: ['Started', '启动时间'],
} as const;

function Role({ of }: { of: Node }) {
  const w = useWords(words);
  const { member } = of;
  if (member === undefined) return w.unknown;
  if (member.leader === true) return <Tag color="blue">{w.leader}</Tag>;
  return member.role === 'STANDBY' ? w.standby : member.role === 'SPARE' ? w.spare : w.follower;
}

function Connection({ of }: { of: Node }) {
  const w = useWords(words);
  const { member } = of;
  if (member === undefined || member.self === true) return '-';
  if (member.connected === true) return <Tag color="success">{w.connected}</Tag>;
  return <Tag color="error">{member.dead === true ? w.dead : w.silent}</Tag>;
}

/** The later of what the node said in MetaDB and what the node that answers heard. */
const lastSeen = (n: Node) =>
  [n.seenTime, n.member?.seenTime]
    .filter((t) => t !== undefined)
    .sort()
    .at(-1);

function useColumns(): ColumnType<Node>[] {
  const w = useWords(words);
  return [
    {
      title: w.name,
      render: (_, n) => (
        <>
          {n.name} {n.self === true ? <Tag>{w.thisOne}</Tag> : null}
        </>
      ),
    },
    { title: w.role, render: (_, n) => <Role of={n} /> },
    { title: w.status, render: (_, n) => <StatusTag status={n.status} /> },
    { title: w.heard, render: (_, n) => <Connection of={n} /> },
    { title: w.seen, render: (_, n) => <Time at={lastSeen(n)} /> },
    { title: w.leases, render: (_, n) => n.leases ?? '-' },
    { title: w.zone, dataIndex: 'zone' },
    { title: w.idc, dataIndex: 'idc' },
    { title: w.version, dataIndex: 'version' },
    { title: w.address, dataIndex: 'address' },
    { title: w.peer, render: (_, n) => n.member?.peerAddress ?? '-' },
    { title: w.started, render: (_, n) => <Time at={n.startTime} /> },
  ];
}

export function NodeTable({ nodes }: { nodes: Node[] }) {
  const w = useWords(words);
  const columns = useColumns();
  return (
    <Table<Node>
      aria-label={w.title}
      size="middle"
      columns={columns.map((c) => ({ ...c, key: String(c.title) }))}
      dataSource={nodes}
      rowKey="id"
      pagination={false}
      scroll={{ x: 'max-content' }}
    />
  );
}
