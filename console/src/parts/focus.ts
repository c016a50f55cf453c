// SPDX-License-Identifier: Apache-2.0
import { useEffect } from 'react';

/** Puts the focus on the field, or on the first one of the form, of this id, unless it is there already. */
export function focusField(id: string) {
  const found = document.getElementById(id);
  if (!found || found.contains(document.activeElement)) return;
  const field = found.matches('input, textarea')
    ? found
    : found.querySelector<HTMLElement>('input:not([type=hidden]):not(:disabled), textarea');
  field?.focus({ preventScroll: true });
}

/**
 * Whoever works from the keyboard begins in the form of what has opened. Without motion drawers and dialogs take the focus of their fields for
 * themselves, so it is given back here; and by their own afterOpenChange, which comes later.
 */
export function useFocusOnOpen(open: boolean, id: string) {
  useEffect(() => {
    if (!open) return undefined;
    const timer = setTimeout(() => focusField(id));
    return () => clearTimeout(timer);
  }, [open, id]);
}
