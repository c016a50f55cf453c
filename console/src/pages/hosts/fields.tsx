// SPDX-License-Identifier: Apache-2.0
// Form items of a host: where it stands, what it is, how to log in.
import { Form, Input, InputNumber, Select } from 'antd';

import { useGet } from '../../api/hooks';
import { Field } from '../../parts/field';
import { fill, say, useLanguage, useWords } from '../../words';
import { kinds } from '../host-kinds';
import { hostWords } from './words';

const words = {
  ...hostWords,
  publishPorts: ['Ports that the containers publish', '容器发布的端口'],
  noPort: ['{0} is not a port', '{0} 不是端口号'],
  credentialHelp: ['A credential for hosts in your password box', '密码箱中的主机凭据'],
} as const;

const EVERYTHING = { query: { page: 1, size: 2000 } };
const toOptions = (rows: { id?: number; name?: string }[] | undefined) =>
  (rows ?? []).map((r) => ({ value: r.id ?? 0, label: r.name }));
const search = { optionFilterProp: 'label' };

const isPort = (text: string) => /^[1-9]\d{0,4}$/.test(text) && Number(text) < 65536;

/* Of containers alone. */
function PublishedPorts() {
  const w = useWords(words);
  const check = (_: unknown, ports: string[] = []) => {
    const wrong = ports.find((p) => !isPort(p));
    return wrong === undefined ? Promise.resolve() : Promise.reject(new Error(fill(w.noPort, wrong)));
  };
  const kind: unknown = Form.useWatch('kind');
  if (kind !== 'DEDICATED_CONTAINER') return null;
  return (
    <Field name="publishPorts" label={w.publishPorts} rules={[{ validator: check }]}>
      <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ']} />
    </Field>
  );
}

/** What a form has: ports as they are typed. */
export interface Typed {
  publishPorts?: string[];
}

/** What an operation takes. */
export const portsOf = ({ publishPorts }: Typed) => ({ publishPorts: publishPorts?.map(Number) });

export function HostFields({ needsCredential = true }: { needsCredential?: boolean }) {
  const w = useWords(words);
  const { language } = useLanguage();
  const idcs = useGet('/api/v2/compute/idcs', EVERYTHING);
  const types = useGet('/api/v2/compute/hostTypes', EVERYTHING);
  const credentials = useGet('/api/v2/profiles/me/credentials', { query: { targetType: 'HOST' } });
  return (
    <>
      <Field name="sshPort" label={w.sshPort} required>
        <InputNumber min={1} max={65535} />
      </Field>
      <Field name="kind" label={w.kind} required>
        <Select options={Object.entries(kinds).map(([value, pair]) => ({ value, label: say(pair, language) }))} />
      </Field>
      <PublishedPorts />
      <Field name="alias" label={w.alias}>
        <Input maxLength={255} autoComplete="off" />
      </Field>
      <Field name="idcId" label={w.idc} required>
        <Select options={toOptions(idcs.data?.contents)} showSearch={search} />
      </Field>
      <Field name="typeId" label={w.hostType} required>
        <Select options={toOptions(types.data?.contents)} showSearch={search} />
      </Field>
      <Field name="credentialId" label={w.credential} required={needsCredential} extra={w.credentialHelp}>
        <Select options={toOptions(credentials.data?.contents)} showSearch={search} allowClear={!needsCredential} />
      </Field>
    </>
  );
}
