// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';

import type { Input, PathOf } from '../api/types';
import { fill, useWords } from '../words';
import { common } from '../words.common';
import { ConfirmTyped } from './confirm-typed';
import { useAction } from './use-action';

const words = {
  ...common,
  title: ['Delete {0}?', '删除 {0}？'],
  gone: ['{0} was deleted', '{0} 已删除'],
  forEver: ['This cannot be undone.', '此操作不可撤销。'],
} as const;

interface Props<P extends PathOf<'delete'>> {
  open: boolean;
  path: P;
  input: Input<'delete', P>;
  /** How people call it. */
  name: string;
  refreshes?: string[];
  children?: ReactNode;
  onClose: () => void;
  onDone?: () => void;
}

/** Deletes one object after the word was typed. */
export function DeleteDialog<P extends PathOf<'delete'>>(p: Props<P>) {
  const w = useWords(words);
  const remove = useAction('delete', p.path, {
    done: fill(w.gone, p.name),
    quiet: true,
    refreshes: p.refreshes ?? [p.path.replace(/\/\{\w+\}$/, '')],
    then: () => {
      p.onClose();
      p.onDone?.();
    },
  });
  return (
    <ConfirmTyped
      open={p.open}
      title={fill(w.title, p.name)}
      running={remove.running}
      error={remove.error}
      onConfirm={() => remove.run(p.input)}
      onClose={() => {
        remove.reset();
        p.onClose();
      }}
    >
      {p.children ?? w.forEver}
    </ConfirmTyped>
  );
}
