// SPDX-License-Identifier: Apache-2.0
// Does the server answer? Every attempt of every request says so here; the notice above the pages listens.
import { useSyncExternalStore } from 'react';

let missing: number | undefined; // since when nobody has answered
const listeners = new Set<() => void>();

function set(to: number | undefined) {
  if (to === missing) return;
  missing = to;
  listeners.forEach((tell) => tell());
}

export const reach = {
  answered: () => set(undefined),
  missed: () => set(missing ?? Date.now()),
};

function subscribe(tell: () => void) {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** Since when the server does not answer (Date.now()); undefined: it does. */
export const useMissing = () => useSyncExternalStore(subscribe, () => missing);
