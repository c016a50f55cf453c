// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';
import { Navigate } from 'react-router-dom';

import { useMay, useMe } from '../session';
import { Loading } from './loading';

/** A page for those who hold the expression; the others get the page that says so. */
export default function PermissionGuard({ needs, children }: { needs: string; children: ReactNode }) {
  const me = useMe();
  const may = useMay();
  if (me.data === undefined) return <Loading />;
  return may(needs) ? children : <Navigate to="/error/403" replace />;
}

/** The same for a button or a card: nothing for the others. */
export function IfMay({ needs, children }: { needs: string; children: ReactNode }) {
  return useMay()(needs) ? children : null;
}
