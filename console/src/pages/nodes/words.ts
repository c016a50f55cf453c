// SPDX-License-Identifier: Apache-2.0
// Words of the pages of OCP's own nodes.
import { common } from '../../words.common';

export const nodeWords = {
  ...common,
  title: ['OCP nodes', 'OCP 节点'],
  node: ['Node', '节点'],
  role: ['Role', '角色'],
  leader: ['Leader', '主节点'],
  since: ['Leads since', '当选时间'],
  cause: ['Why it was elected', '当选原因'],
  epoch: ['Epoch', '任期编号'],
  term: ['Term', '选举轮次'],
  generation: ['Generation', '集群代次'],
  zone: ['Zone', 'Zone'],
  idc: ['IDC', '机房'],
  version: ['Version', '版本'],
  leases: ['Leases', '租约'],
} as const;

/** Why a node that does not vote does not. */
export const waits = {
  SILENT: ['does not vote: the leader does not hear it', '未参与投票：主节点收不到其心跳'],
  BEHIND: ['does not vote yet: it is catching up with the log', '尚未参与投票：正在追赶日志'],
  EVEN: [
    'does not vote: an even number of votes survives no more. Add one more node or a witness.',
    '未参与投票：偶数个投票节点不能提高容灾能力，请再添加一个节点或见证节点。',
  ],
  SOON: ['votes in a moment', '即将参与投票'],
} as const;

export const causes = {
  STARTED: ['Nobody led before', '此前没有主节点'],
  DIED: ['The process of the former leader ended', '前任主节点进程退出'],
  SILENT: ['The former leader was not heard any more', '前任主节点失去联系'],
  HANDED_OVER: ['The former leader handed it over', '前任主节点主动移交'],
} as const;
