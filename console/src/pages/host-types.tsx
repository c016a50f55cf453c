// SPDX-License-Identifier: Apache-2.0
import { DeleteDialog } from '../parts/delete-dialog';
import { useWords } from '../words';
import { PlacesPage } from './places';

const words = { title: ['Host types', '主机类型'], create: ['New host type', '新建主机类型'] } as const;

export default function HostTypes() {
  const w = useWords(words);
  return (
    <PlacesPage
      path="/api/v2/compute/hostTypes"
      title={w.title}
      create={w.create}
      remove={(place, dialog) => (
        <DeleteDialog
          path="/api/v2/compute/hostTypes/{hostTypeId}"
          input={{ path: { hostTypeId: place?.id ?? 0 } }}
          name={place?.name ?? ''}
          {...dialog}
        />
      )}
    />
  );
}
