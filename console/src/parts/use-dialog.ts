// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';

/** Which of a page's dialogs is open, and about what. */
export function useDialog<T = undefined>() {
  const [now, set] = useState<{ kind: string; open: boolean; subject: T | undefined }>({
    kind: '',
    open: false,
    subject: undefined,
  });
  return {
    subject: now.subject,
    is: (kind: string) => now.open && now.kind === kind,
    show: (kind: string, subject?: T) => set({ kind, open: true, subject }),
    hide: () => set((old) => ({ ...old, open: false })), // its subject stays readable while it closes
  };
}
