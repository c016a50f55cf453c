// SPDX-License-Identifier: Apache-2.0

/** Which tenant: numbers of the API. */
export interface Of {
  cluster: number;
  tenant: number;
  /** MYSQL, ORACLE. */
  mode: string | undefined;
}

export const tenantPath = (of: Of) => ({ id: of.cluster, tenantId: of.tenant });

export const tenantNeeds = (of: Of, action: 'READ' | 'UPDATE') => `CLUSTER:${of.cluster}:TENANT:${of.tenant}:${action}`;
