// SPDX-License-Identifier: Apache-2.0
import { PageHead } from '../../parts/page-head';
import { useWords } from '../../words';
import { TenantTable } from './tenant-table';
import { ob } from './words';

export default function Tenants() {
  const w = useWords(ob);
  return (
    <>
      <PageHead title={w.tenants} />
      <TenantTable />
    </>
  );
}
