// SPDX-License-Identifier: Apache-2.0
import { Form, type FormItemProps } from 'antd';

import { fill, useWords } from '../words';
import { common } from '../words.common';

/** A form item whose message says which one is missing. */
export function Field({
  required,
  label,
  rules,
  ...rest
}: Omit<FormItemProps, 'label'> & { label: string; required?: boolean }) {
  const w = useWords(common);
  const first = required === true ? [{ required: true, message: fill(w.required, label) }] : [];
  return <Form.Item label={label} rules={[...first, ...(rules ?? [])]} {...rest} />;
}
