// SPDX-License-Identifier: Apache-2.0
// The zones of a cluster that is to be created: a name, a room, and the hosts that stand there.
import { Button, Form, Input } from 'antd';

import { Field } from '../../parts/field';
import { fill, useWords } from '../../words';
import { FreeHostSelect, IdcSelect } from './place-fields';
import { ob } from './words';

const words = {
  ...ob,
  zoneName: ['Name of zone {0}', 'Zone {0} 名称'],
  zoneIdc: ['IDC of zone {0}', 'Zone {0} 机房'],
  zoneHosts: ['Hosts of zone {0}', 'Zone {0} 主机'],
  addZone: ['Add a zone', '添加 Zone'],
  removeZone: ['Delete zone {0}', '删除 Zone {0}'],
  hostsHelp: [
    'Available hosts in this IDC. The first one is a founder of the cluster.',
    '该机房中空闲的主机，首台参与集群引导。',
  ],
} as const;

interface Zone {
  name: string;
  servers: number[];
}

/* The first of zone1, zone2... that is free. */
function nextName(zones: readonly Partial<Zone>[]) {
  for (let n = 1; ; n++) if (!zones.some((zone) => zone?.name === `zone${n}`)) return `zone${n}`;
}

function ZoneRow({ at, index, onRemove }: { at: number; index: number; onRemove?: () => void }) {
  const w = useWords(words);
  const number = index + 1;
  const form = Form.useFormInstance();
  const idc = Form.useWatch(['zones', at, 'idcName'], form) as string | undefined;
  const zones = (Form.useWatch('zones', form) ?? []) as Partial<Zone>[];
  const taken = zones.flatMap((zone, i) => (i === at ? [] : (zone?.servers ?? [])));
  return (
    <div className="form-row" style={{ display: 'flex', gap: 12, flexWrap: 'wrap', marginBottom: 8 }}>
      <Field name={[at, 'name']} label={fill(w.zoneName, number)} required style={{ flex: '1 1 140px' }}>
        <Input maxLength={64} autoComplete="off" />
      </Field>
      <Field name={[at, 'idcName']} label={fill(w.zoneIdc, number)} required style={{ flex: '1 1 160px' }}>
        <IdcSelect onChange={() => form.setFieldValue(['zones', at, 'servers'], [])} />
      </Field>
      <Field
        name={[at, 'servers']}
        label={fill(w.zoneHosts, number)}
        required
        extra={w.hostsHelp}
        style={{ flex: '3 1 280px' }}
      >
        <FreeHostSelect<number[]> mode="multiple" idc={idc} taken={taken} />
      </Field>
      {onRemove === undefined ? null : (
        <Button type="link" danger style={{ marginTop: 28 }} onClick={onRemove} aria-label={fill(w.removeZone, number)}>
          {w.remove}
        </Button>
      )}
    </div>
  );
}

export function ZoneFields() {
  const w = useWords(words);
  const form = Form.useFormInstance();
  const addNext = (add: (zone: Partial<Zone>) => void) =>
    add({ name: nextName(form.getFieldValue('zones') as Partial<Zone>[]) });
  return (
    <Form.List name="zones">
      {(fields, { add, remove }) => (
        <>
          {fields.map(({ name, key }, i) => (
            <ZoneRow key={key} at={name} index={i} onRemove={fields.length > 1 ? () => remove(name) : undefined} />
          ))}
          <Button onClick={() => addNext(add)}>{w.addZone}</Button>
        </>
      )}
    </Form.List>
  );
}
