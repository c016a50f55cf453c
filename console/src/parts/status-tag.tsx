// SPDX-License-Identifier: Apache-2.0
// States of objects, one table for all of them: what it is called and how it looks.
import { Tag } from 'antd';

import { type Pair, say, useLanguage } from '../words';

type Colour = 'success' | 'error' | 'warning' | 'processing' | 'default';

const STATES: Record<string, [Colour, Pair]> = {
  RUNNING: ['processing', ['Running', '运行中']],
  SUCCESSFUL: ['success', ['Successful', '成功']],
  SUCCESS: ['success', ['Successful', '成功']],
  FAILED: ['error', ['Failed', '失败']],
  PENDING: ['default', ['Waiting', '等待中']],
  READY: ['default', ['Ready', '就绪']],
  CANCELING: ['warning', ['Being cancelled', '取消中']],
  ONLINE: ['success', ['Online', '在线']],
  OFFLINE: ['error', ['Offline', '离线']],
  JOINING: ['processing', ['Expected', '等待加入']],
  DRAINING: ['warning', ['Draining', '排空中']],
  AVAILABLE: ['success', ['Available', '空闲']],
  USING: ['processing', ['In use', '使用中']],
  CREATING: ['processing', ['Being added', '添加中']],
  DELETING: ['warning', ['Being deleted', '删除中']],
  UNAVAILABLE: ['error', ['Unavailable', '不可用']],
  STARTING: ['processing', ['Starting', '启动中']],
  RESTARTING: ['processing', ['Restarting', '重启中']],
  STOPPING: ['warning', ['Stopping', '停止中']],
  STOPPED: ['error', ['Stopped', '已停止']],
  TAKINGOVER: ['processing', ['Being taken over', '接管中']],
  MOVINGOUT: ['warning', ['Being moved out', '迁出中']],
  SWITCHOVER: ['processing', ['Switching over', '切换中']],
  FAILOVER: ['warning', ['Failing over', '故障切换中']],
  OPERATING: ['processing', ['Being changed', '运维中']],
  NORMAL: ['success', ['Normal', '正常']],
  MODIFYING: ['processing', ['Being changed', '修改中']],
  ACTIVE: ['success', ['Active', '活跃']],
  INACTIVE: ['error', ['Inactive', '不活跃']],
  IDLE: ['default', ['Idle', '空闲']],
  COMPACTING: ['processing', ['Compacting', '合并中']],
  VERIFYING: ['processing', ['Verifying', '校验中']],
  SKIPPED: ['default', ['Skipped', '已跳过']],
  UNKNOWN: ['warning', ['Not known', '未知']],
  CANCELLED: ['default', ['Given up', '已放弃']],
  ROLLING_BACK: ['warning', ['Being rolled back', '回滚中']],
  ROLLED_BACK: ['default', ['Rolled back', '已回滚']],
  BACKING_OFF: ['error', ['Ends again and again', '反复退出']],
  WAITING: ['default', ['Waits for OCP', '等待 OCP']],
  REINTSTALLING: ['processing', ['Being installed again', '重新安装中']],
  DELETED: ['default', ['Deleted', '已删除']],
  NEVER: ['default', ['Never run', '从未执行']],
  NEW: ['processing', ['Being added', '添加中']],
};

/** The words of a state where they stand in a text. */
export function useStateText() {
  const { language } = useLanguage();
  return (status: string | undefined) => {
    const words = STATES[status?.toUpperCase() ?? '']?.[1];
    return words === undefined ? (status ?? '-') : say(words, language);
  };
}

/** `as` overrides what the state means for this kind of object: a running cluster is fine, a running task is under way. */
export function StatusTag({ status, as }: { status: string | undefined; as?: Colour }) {
  const { language } = useLanguage();
  if (status === undefined) return '-';
  const [colour, words] = STATES[status.toUpperCase()] ?? ['default', [status, status]];
  return <Tag color={as ?? colour}>{say(words, language)}</Tag>;
}
