// SPDX-License-Identifier: Apache-2.0
// What the pages of tasks know about states.
import type { Data } from '../../api/types';

export const TASK = '/api/v2/tasks/instances/{taskInstanceId}';
export type Task = Data<'get', typeof TASK>;
export type Step = NonNullable<Task['subtasks']>[number];

/** The state of a step as it is; the contract's own name lumps several together. */
export const stateOf = (s: Step) =>
  s.operation === 'ROLLBACK' && s.state === 'RUNNING' ? 'ROLLING_BACK' : (s.state ?? s.status);

export const taskStateOf = (t: Pick<Task, 'status' | 'operation'>) =>
  t.operation !== 'ROLLBACK'
    ? t.status
    : t.status === 'RUNNING'
      ? 'ROLLING_BACK'
      : t.status === 'SUCCESSFUL'
        ? 'ROLLED_BACK'
        : t.status;

const BROKEN = ['FAILED', 'UNKNOWN'];
export const isBroken = (s: Step) => BROKEN.includes(s.state ?? '');
export const isActive = (s: Step) => s.state === 'RUNNING' || s.state === 'CANCELING';
const OVER = ['SUCCESSFUL', 'SKIPPED', 'CANCELLED', 'ROLLED_BACK'];
export const isOver = (s: Step) => OVER.includes(s.state ?? '');

/** What a person may ask for, as the server decides it. */
export const mayRetry = (s: Step) => isBroken(s);
export const maySkip = (s: Step) => isBroken(s) && s.skippable === true;
export const mayStop = (s: Step) => s.state === 'READY' || s.state === 'RUNNING';
export const mayGiveUp = (t: Task, s: Step) => isBroken(s) && t.operation !== 'ROLLBACK';

/** "1:02:03" between two times; until now while it is not over. */
export function between(from: string | undefined, to: string | undefined, now = Date.now()) {
  if (from === undefined) return '-';
  const seconds = Math.max(0, Math.round(((to === undefined ? now : Date.parse(to)) - Date.parse(from)) / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
