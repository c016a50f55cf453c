// SPDX-License-Identifier: Apache-2.0
// Words of the pages of tasks.
import { common } from '../../words.common';

export const taskWords = {
  ...common,
  title: ['Tasks', '任务'],
  id: ['Number', '任务 ID'],
  cluster: ['Cluster', '集群'],
  tenant: ['Tenant', '租户'],
  creator: ['Started by', '发起人'],
  executor: ['Node', '执行节点'],
  started: ['Began', '开始时间'],
  finished: ['Ended', '结束时间'],
  took: ['Took', '耗时'],
  steps: ['Steps', '子任务'],
  step: ['Step', '子任务'],
  runs: ['Attempts', '执行次数'],
  target: ['For', '操作目标'],
  log: ['Log', '日志'],
  locks: ['Locks', '对象锁'],
} as const;
