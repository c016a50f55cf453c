// SPDX-License-Identifier: Apache-2.0
import { Tabs } from 'antd';
import type { ReactNode } from 'react';
import { Navigate, useLocation, useNavigate } from 'react-router-dom';

import { useMay } from '../session';

export interface ObjectTab {
  /** End of its address; "" for the first. */
  key: string;
  label: string;
  needs?: string;
  children: () => ReactNode;
}

/** Tabs of an object's page, each with an address of its own below `base`. A tab that is not shown reads nothing. */
export function ObjectTabs({ base, tabs, label }: { base: string; tabs: ObjectTab[]; label: string }) {
  const navigate = useNavigate();
  const may = useMay();
  const key = useLocation()
    .pathname.slice(base.length)
    .replace(/^\/|\/$/g, '');
  const known = tabs.filter((t) => t.needs === undefined || may(t.needs));
  const chosen = known.find((t) => t.key === key);
  if (chosen === undefined) return <Navigate to={tabs.some((t) => t.key === key) ? '/error/403' : base} replace />;
  return (
    <Tabs
      aria-label={label}
      activeKey={key}
      destroyOnHidden
      onChange={(to) => void navigate(to === '' ? base : `${base}/${to}`)}
      items={known.map((t) => ({ key: t.key, label: t.label, children: t === chosen ? t.children() : null }))}
    />
  );
}
