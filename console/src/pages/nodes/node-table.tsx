// SPDX-License-Identifier: Apache-2.0
// Every node of this OCP: what it is for the others, and how it does.
import { Table, Tag } from 'antd';
import type { ColumnType } from 'antd/es/table';
import type { ReactNode } from 'react';

import { StatusTag } from '../../parts/status-tag';
import { Time } from '../../parts/time';
import { fill, useWords } from '../../words';
import { type NodeDialog, NodeRowActions } from './actions';
import { Wait } from './cause';
import type { Node } from './model';
import { nodeWords } from './words';

const words = {
  ...nodeWords,
  thisOne: ['answers you', '当前节点'],
  follower: ['Follower', '从节点'],
  standby: ['Standby', '备用节点'],
  spare: ['Joining', '加入中'],
  witness: ['Witness', '见证节点'],
  wanted: ['Drain wanted', '待排空'],
  unknown: ['Not a member', '非集群成员'],
  connection: ['Connection', '连接'],
  connected: ['Connected', '已连接'],
  silent: ['Not connected', '未连接'],
  dead: ['No process there', '进程不存在'],
  seen: ['last heard {0}', '最近心跳 {0}'],
  lag: ['Log lag', '日志落后'],
  api: ['API', 'API'],
  peer: ['nodes', '节点间'],
  address: ['Addresses', '地址'],
  started: ['started', '启动于'],
  certificate: ['Certificate until', '证书有效期至'],
} as const;

/** Two facts, one below the other. */
function Two({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <>
      <div>{first}</div>
      <div className="quiet">{second}</div>
    </>
  );
}

function Role({ of: { member, follower, leads, witness } }: { of: Node }) {
  const w = useWords(words);
  if (leads) return <Tag color="blue">{w.leader}</Tag>;
  if (member === undefined) return w.unknown;
  const voter = witness === true ? w.witness : w.follower;
  const role = member.role === 'STANDBY' ? w.standby : member.role === 'SPARE' ? w.spare : voter;
  const wait = follower?.waitReason;
  return wait === undefined ? (
    role
  ) : (
    <div className="narrow">
      <Two first={role} second={<Wait of={wait} />} />
    </div>
  );
}

function Status({ of: { status, drainWanted } }: { of: Node }) {
  const w = useWords(words);
  return (
    <>
      <StatusTag status={status} />
      {drainWanted === true && status !== 'DRAINING' ? <Tag color="warning">{w.wanted}</Tag> : null}
    </>
  );
}

/** As the leader sees it; the node that answers where the leader cannot be asked, and about the leader. */
function Connection({ of: { member, follower, seenTime } }: { of: Node }) {
  const w = useWords(words);
  const by = follower ?? member;
  if (by === undefined || (follower === undefined && member?.self === true)) return <Time at={seenTime} />;
  const tag =
    by.connected === true ? (
      <Tag color="success">{w.connected}</Tag>
    ) : (
      <Tag color="error">{member?.dead === true ? w.dead : w.silent}</Tag>
    );
  const [before, after] = fill(w.seen, '\n').split('\n');
  return (
    <Two
      first={tag}
      second={
        <>
          {before}
          <Time at={by.seenTime ?? seenTime} />
          {after}
        </>
      }
    />
  );
}

const compare = (a: string | undefined, b: string | undefined) =>
  (a ?? '').localeCompare(b ?? '', undefined, { numeric: true });

function useColumns(dialog: NodeDialog): ColumnType<Node>[] {
  const w = useWords(words);
  return [
    {
      title: w.name,
      sorter: (a, b) => compare(a.name, b.name),
      render: (_, n) => (
        <>
          {n.name} {n.self === true ? <Tag>{w.thisOne}</Tag> : null}
        </>
      ),
    },
    { title: w.role, render: (_, n) => <Role of={n} /> },
    { title: w.status, render: (_, n) => <Status of={n} /> },
    { title: w.connection, render: (_, n) => <Connection of={n} /> },
    { title: w.lag, render: (_, n) => (n.leads ? 0 : (n.follower?.lag ?? '-')) },
    { title: w.leases, render: (_, n) => n.leases ?? '-' },
    {
      title: w.zone,
      sorter: (a, b) => compare(a.zone, b.zone),
      render: (_, n) => <Two first={n.zone} second={n.idc} />,
    },
    {
      title: w.version,
      sorter: (a, b) => compare(a.version, b.version),
      render: (_, n) => (
        <Two
          first={n.version}
          second={
            <>
              {w.started} <Time at={n.startTime} />
            </>
          }
        />
      ),
    },
    {
      title: w.address,
      render: (_, n) => <Two first={`${w.api} ${n.address ?? '-'}`} second={`${w.peer} ${n.peerAddress ?? '-'}`} />,
    },
    { title: w.certificate, render: (_, n) => <Time at={n.certificateExpireTime} /> },
    { title: w.actions, fixed: 'right', render: (_, n) => <NodeRowActions of={n} dialog={dialog} /> },
  ];
}

export function NodeTable({ nodes, dialog }: { nodes: Node[]; dialog: NodeDialog }) {
  const w = useWords(words);
  const columns = useColumns(dialog);
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
