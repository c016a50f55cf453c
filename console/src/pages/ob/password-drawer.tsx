// SPDX-License-Identifier: Apache-2.0
import { Checkbox, Form, Input } from 'antd';

import type { ApiError } from '../../api/call';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { PasswordAgain } from '../../parts/password-again';
import { useWords } from '../../words';
import { ob } from './words';

const words = { ...ob, oldPassword: ['Present password', '当前密码'] } as const;

export interface NewPassword {
  newPassword: string;
  oldPassword?: string;
  saveToCredential?: boolean;
}

interface Props {
  open: boolean;
  title: string;
  /** When the present password is asked for too: what it is needed for. */
  oldHelp?: string;
  running: boolean;
  error: ApiError | null;
  onSubmit: (body: NewPassword) => void;
  onClose: () => void;
}

/** A new password for an account of a kernel. */
export function PasswordDrawer({ oldHelp, onSubmit, ...p }: Props) {
  const w = useWords(words);
  return (
    <FormDrawer<NewPassword & { again: string }>
      {...p}
      initial={{ saveToCredential: true }}
      onSubmit={({ newPassword, oldPassword, saveToCredential }) =>
        onSubmit({ newPassword, oldPassword: oldPassword || undefined, saveToCredential })
      }
    >
      <Field name="newPassword" label={w.newPassword} required>
        <Input.Password autoComplete="new-password" autoFocus />
      </Field>
      <PasswordAgain of="newPassword" name="again" label={w.again} />
      {oldHelp === undefined ? null : (
        <Field name="oldPassword" label={w.oldPassword} extra={oldHelp}>
          <Input.Password autoComplete="off" />
        </Field>
      )}
      <Form.Item name="saveToCredential" valuePropName="checked">
        <Checkbox>{w.keepPassword}</Checkbox>
      </Form.Item>
    </FormDrawer>
  );
}
