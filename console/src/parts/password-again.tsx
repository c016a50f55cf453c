// SPDX-License-Identifier: Apache-2.0
import { Input } from 'antd';
import type { ComponentProps } from 'react';

import { useWords } from '../words';
import { Field } from './field';

const words = { differs: ['This is not the same', '两次输入的密码不一致'] } as const;

/** A new password a second time; `of` names the form item that has it. */
export function PasswordAgain({ of, ...field }: { of: string } & ComponentProps<typeof Field>) {
  const w = useWords(words);
  const same = ({ getFieldValue }: { getFieldValue: (name: string) => unknown }) => ({
    validator: (_: unknown, value: unknown) =>
      value === getFieldValue(of) ? Promise.resolve() : Promise.reject(new Error(w.differs)),
  });
  return (
    <Field {...field} required dependencies={[of]} rules={[same]}>
      <Input.Password autoComplete="new-password" />
    </Field>
  );
}
