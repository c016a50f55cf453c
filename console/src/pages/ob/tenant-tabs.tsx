// SPDX-License-Identifier: Apache-2.0
// What is inside a tenant, as tabs of its page; those of an instance are the same.
import type { ObjectTab } from '../../parts/object-tabs';
import { Compactions } from './compactions';
import { Databases } from './databases';
import { DbRoles } from './db-roles';
import { DbUsers } from './db-users';
import { Sessions } from './sessions';
import { type Of, tenantNeeds } from './tenant-of';
import { TenantParameters } from './tenant-parameters';
import type { ob } from './words';

export function tenantTabs({ w, ...of }: Of & { w: Record<keyof typeof ob, string> }): ObjectTab[] {
  const needs = tenantNeeds(of, 'READ');
  return [
    { key: 'database', label: w.databases, needs, children: () => <Databases of={of} /> },
    { key: 'user', label: w.users, needs, children: () => <DbUsers of={of} /> },
    { key: 'role', label: w.roles, needs, children: () => <DbRoles of={of} /> },
    { key: 'parameter', label: w.parameters, needs, children: () => <TenantParameters of={of} /> },
    { key: 'session', label: w.sessions, needs, children: () => <Sessions cluster={of.cluster} tenant={of.tenant} /> },
    {
      key: 'compaction',
      label: w.compaction,
      needs,
      children: () => <Compactions cluster={of.cluster} tenant={of.tenant} />,
    },
  ];
}
