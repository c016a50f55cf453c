// SPDX-License-Identifier: Apache-2.0
import { App as Messages } from 'antd';
import { type ComponentType, lazy, type LazyExoticComponent, Suspense, useEffect } from 'react';
import { createBrowserRouter, Navigate, Outlet, type RouteObject } from 'react-router-dom';

import Broken from '../parts/broken';
import { Loading } from '../parts/loading';
import { patient } from '../parts/patient';
import { type PageRow, routes } from '../routes';
import { say, useLanguage, useWords } from '../words';
import { common } from '../words.common';

const Frame = lazy(() => patient(() => import('./frame')));
const Guard = lazy(() => patient(() => import('../parts/permission-guard')));

function Titled({ row, children }: { row: PageRow; children: React.ReactNode }) {
  const { language } = useLanguage();
  const w = useWords(common);
  useEffect(() => {
    document.title = `${say(row.title, language)} - ${w.product}`;
  }, [row, language, w]);
  return children;
}

/* Rows with the same page are one: going between them keeps what it shows and where the focus is. */
const pages = new Map<PageRow['page'], LazyExoticComponent<ComponentType>>();

function pageOf(row: PageRow) {
  const page = pages.get(row.page) ?? lazy(() => patient(row.page));
  pages.set(row.page, page);
  return page;
}

function element(row: PageRow) {
  const Page = pageOf(row);
  const page =
    row.needs === undefined ? (
      <Page />
    ) : (
      <Guard needs={row.needs}>
        <Page />
      </Guard>
    );
  return (
    <Titled row={row}>
      <Suspense fallback={<Loading />}>{page}</Suspense>
    </Titled>
  );
}

const asRoute = (row: PageRow): RouteObject => ({ path: row.path, element: element(row), errorElement: <Broken /> });

// Messages stand inside of the router, since they hold links.
const root = (
  <Messages message={{ maxCount: 3 }}>
    <Outlet />
  </Messages>
);
const frame = (
  <Suspense fallback={<Loading />}>
    <Frame />
  </Suspense>
);

export const router = createBrowserRouter([
  {
    element: root,
    errorElement: <Broken />,
    children: [
      ...routes.filter((r) => r.bare).map(asRoute),
      {
        element: frame,
        children: [
          ...routes.filter((r) => !r.bare).map(asRoute),
          { path: '*', element: <Navigate to="/error/404" replace /> },
        ],
      },
    ],
  },
]);

/** To the login page, which leads back to here. */
export function goToLogin() {
  const { pathname, search } = router.state.location;
  if (pathname === '/login') return;
  const back = pathname === '/' ? '' : `?back=${encodeURIComponent(pathname + search)}`;
  void router.navigate(`/login${back}`, { replace: true });
}
