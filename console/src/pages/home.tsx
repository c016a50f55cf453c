// SPDX-License-Identifier: Apache-2.0
import { lazy } from 'react';
import { Navigate } from 'react-router-dom';

import { menu } from '../frame/menu';
import { Empty } from '../parts/empty';
import { routes } from '../routes';
import { useMay } from '../session';

const Overview = lazy(() => import('./ob/overview'));

/** The overview of the databases; for those who may not see them, the first page of the menu that they may see. */
export default function Home() {
  const may = useMay();
  if (may('CLUSTER:*:READ')) return <Overview />;
  const paths = menu.flatMap((g) => g.paths).filter((p) => p !== '/');
  const first = paths.find((p) => routes.some((r) => r.path === p && r.needs !== undefined && may(r.needs)));
  return first === undefined ? <Empty /> : <Navigate to={first} replace />;
}
