// SPDX-License-Identifier: Apache-2.0
import { DeleteDialog } from '../parts/delete-dialog';
import { useWords } from '../words';
import { PlacesPage } from './places';

const words = { title: ['Regions', '区域'], create: ['New region', '新建区域'] } as const;

export default function Regions() {
  const w = useWords(words);
  return (
    <PlacesPage
      path="/api/v2/compute/regions"
      title={w.title}
      create={w.create}
      remove={(place, dialog) => (
        <DeleteDialog
          path="/api/v2/compute/regions/{regionId}"
          input={{ path: { regionId: place?.id ?? 0 } }}
          name={place?.name ?? ''}
          {...dialog}
        />
      )}
    />
  );
}
