// SPDX-License-Identifier: Apache-2.0
import { DeleteDialog } from '../parts/delete-dialog';
import { useWords } from '../words';
import { PlacesPage } from './places';

const words = { title: ['IDCs', '机房'], create: ['New IDC', '新建机房'] } as const;

export default function Idcs() {
  const w = useWords(words);
  return (
    <PlacesPage
      path="/api/v2/compute/idcs"
      title={w.title}
      create={w.create}
      inRegion
      remove={(place, dialog) => (
        <DeleteDialog
          path="/api/v2/compute/idcs/{idcId}"
          input={{ path: { idcId: place?.id ?? 0 } }}
          name={place?.name ?? ''}
          {...dialog}
        />
      )}
    />
  );
}
