// SPDX-License-Identifier: Apache-2.0
// What is done with a cluster, its zones and its servers after a word: how it is called, what it does, which word.
import type { Pair } from '../../words';

export interface OperationRow {
  label: Pair;
  text: Pair;
  word: 'confirm' | 'delete';
  danger: boolean;
  force?: Pair;
}

export const OPERATIONS = {
  stopCluster: {
    label: ['Stop', '停止'],
    text: [
      'All its observers are stopped: no tenant of it is served until it is started again.',
      '集群的所有 OBServer 进程将停止，再次启动之前所有租户不可用。',
    ],
    word: 'confirm',
    danger: true,
  },
  startCluster: {
    label: ['Start', '启动'],
    text: ['The observers that do not run are started.', '将启动未运行的 OBServer 进程。'],
    word: 'confirm',
    danger: false,
  },
  restartCluster: {
    label: ['Restart', '重启'],
    text: [
      'Zone after zone is taken out of service, restarted and taken back; the cluster goes on serving where the majority allows it.',
      '将逐个 Zone 停止服务、重启并恢复；满足多数派时集群持续提供服务。',
    ],
    word: 'confirm',
    danger: true,
    force: ['All observers at once: the service is interrupted', '同时重启所有 OBServer：服务将中断'],
  },
  deleteCluster: {
    label: ['Delete', '删除'],
    text: [
      'Its observers are stopped and ALL ITS DATA IS DELETED from its hosts. This cannot be undone. A cluster that was taken over can only be moved out.',
      '将停止所有 OBServer，并从主机上删除全部数据，此操作不可撤销。接管的集群只能迁出。',
    ],
    word: 'delete',
    danger: true,
  },
  stopZone: {
    label: ['Stop', '停止'],
    text: [
      'The zone is taken out of service; its processes run on. It is refused where a majority would be lost.',
      '该 Zone 将停止服务，进程继续运行。若会失去多数派，则操作被拒绝。',
    ],
    word: 'confirm',
    danger: true,
  },
  startZone: {
    label: ['Start', '启动'],
    text: ['The zone is taken into service again.', '该 Zone 将恢复服务。'],
    word: 'confirm',
    danger: false,
  },
  restartZone: {
    label: ['Restart', '重启'],
    text: [
      'The zone is taken out of service, its observers are restarted, and it is taken back. It is refused where a majority would be lost.',
      '该 Zone 将停止服务，重启其 OBServer 后恢复服务。若会失去多数派，则操作被拒绝。',
    ],
    word: 'confirm',
    danger: true,
  },
  deleteZone: {
    label: ['Delete', '删除'],
    text: [
      'Its servers leave the cluster and ALL THEIR DATA IS DELETED from their hosts. It is refused while tenants have units there.',
      '该 Zone 的 OBServer 将从集群中移除，并从主机上删除其全部数据。若仍有租户的 Unit，则操作被拒绝。',
    ],
    word: 'delete',
    danger: true,
  },
  stopServer: {
    label: ['Stop', '停止'],
    text: [
      'The server is taken out of service; its process runs on. It is refused where a majority would be lost.',
      '该 OBServer 将停止服务，进程继续运行。若会失去多数派，则操作被拒绝。',
    ],
    word: 'confirm',
    danger: true,
    force: ['Although a majority may be lost: the service may be interrupted', '即使可能失去多数派：服务可能中断'],
  },
  startServer: {
    label: ['Start', '启动'],
    text: ['The server is taken into service again.', '该 OBServer 将恢复服务。'],
    word: 'confirm',
    danger: false,
  },
  restartServer: {
    label: ['Restart', '重启'],
    text: [
      'The server is taken out of service, its process is restarted, and it is taken back. It is refused where a majority would be lost.',
      '该 OBServer 将停止服务，重启进程后恢复服务。若会失去多数派，则操作被拒绝。',
    ],
    word: 'confirm',
    danger: true,
    force: ['The process alone, as it is: the service may be interrupted', '直接重启进程：服务可能中断'],
  },
  deleteServers: {
    label: ['Delete', '删除'],
    text: [
      'Their units move to the other servers of the zone; then they leave the cluster and ALL DATA OF THEM IS DELETED from their hosts.',
      'Unit 将先迁移到同一 Zone 的其他 OBServer，随后从集群中移除这些 OBServer，并从主机上删除其全部数据。',
    ],
    word: 'delete',
    danger: true,
  },
} satisfies Record<string, OperationRow>;

export type Operation = keyof typeof OPERATIONS;
export const rowOf = (operation: Operation): OperationRow => OPERATIONS[operation];
