// SPDX-License-Identifier: Apache-2.0
import { useMutation } from '@tanstack/react-query';
import { App } from 'antd';
import { type MouseEvent, useRef } from 'react';
import { useNavigate } from 'react-router-dom';

import { ApiError, call } from '../api/call';
import { useRefresh } from '../api/hooks';
import { newKey } from '../api/repeat';
import type { Data, Input, Method, PathOf } from '../api/types';
import { useWords } from '../words';
import { common } from '../words.common';

interface Options<R> {
  /** Said when it worked; "" for nothing. */
  done?: string;
  /** Paths whose lists and objects it changes. */
  refreshes?: string[];
  then?: (result: R) => void;
  /** Failures are shown by the caller (a form beside its fields), not as a message. */
  quiet?: boolean;
  /** It may take minutes. */
  slow?: boolean;
}

/* The key of a change. One whose outcome is not known keeps it: the same, sent again, acts once. */
function useKey<I>() {
  const kept = useRef<{ input: string; key: string }>(undefined);
  const of = (input: I) => {
    const text = JSON.stringify(input, (_, value: unknown) => (value instanceof FormData ? newKey() : value)); // files are never the same
    if (kept.current?.input !== text) kept.current = { input: text, key: newKey() };
    return kept.current.key;
  };
  const settle = () => (kept.current = undefined);
  return { of, settle };
}

/** A change of something: run(input) sends it, says that it was done and which task does it, and reads anew what it changed. */
export function useAction<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  options: Options<Data<M, P>> = {},
) {
  const { message } = App.useApp();
  const w = useWords(common);
  const refresh = useRefresh();
  const navigate = useNavigate();
  const key = useKey<Input<M, P>>();
  const mutation = useMutation<Data<M, P>, ApiError, Input<M, P>>({
    mutationFn: (input) => call(method, path, input, { key: key.of(input), slow: options.slow }),
    onSuccess: async (result) => {
      key.settle();
      const task = taskOf(result);
      const text = options.done ?? w.done;
      const address = `/task/${task ?? 0}`;
      const go = (e: MouseEvent) => {
        e.preventDefault();
        void navigate(address);
      };
      const link = (
        // messages stand outside of the router
        <span>
          {text}{' '}
          <a href={address} onClick={go}>
            {w.viewTask}
          </a>
        </span>
      );
      if (task !== undefined || text !== '')
        void message.success(task === undefined ? text : link, task === undefined ? 3 : 8);
      options.then?.(result);
      await refresh(...(options.refreshes ?? [path]));
    },
    onError: (error) => {
      if (!error.unsettled || error.isKeyBusy || error.isKeyLost) key.settle(); // whoever has looked may send it anew
      if (options.quiet !== true && error.status !== 401) void message.error(error.message, 8);
    },
  });
  const { mutate: run, isPending: running, error, reset } = mutation;
  return { run, running, error, reset };
}

/** Id of the task in a reply that is one. */
export function taskOf(result: unknown): number | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  const { contents, id, operation, subtasks, taskDefinitionId, status } = result as Record<string, unknown>;
  if (Array.isArray(contents)) return contents.map(taskOf)[0];
  const isTask =
    typeof status === 'string' && (operation !== undefined || subtasks !== undefined || taskDefinitionId !== undefined);
  return isTask && typeof id === 'number' ? id : undefined;
}
