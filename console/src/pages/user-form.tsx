// SPDX-License-Identifier: Apache-2.0
// Fields of a user, as lists and pages of users have them.
import { Input, Select, Switch } from 'antd';

import { useGet } from '../api/hooks';
import { Field } from '../parts/field';
import { useWords } from '../words';
import { common } from '../words.common';

export const userWords = {
  ...common,
  username: ['User name', '用户名'],
  roles: ['Roles', '角色'],
  email: ['Email', '邮箱'],
  phone: ['Phone', '电话'],
  department: ['Department', '部门'],
  enabled: ['May log in', '允许登录'],
  firstPassword: ['First password', '初始密码'],
  mustChange: ['To be changed at the first login', '首次登录时须修改密码'],
  lastLogin: ['Last login', '最近登录'],
  locked: ['Locked', '已锁定'],
  disabled: ['Disabled', '已禁用'],
  active: ['Active', '正常'],
} as const;

export function ContactFields() {
  const w = useWords(userWords);
  return (
    <>
      <Field name="email" label={w.email} rules={[{ type: 'email' }]}>
        <Input maxLength={255} autoComplete="off" />
      </Field>
      <Field name="phone" label={w.phone}>
        <Input maxLength={32} />
      </Field>
      <Field name="department" label={w.department}>
        <Input maxLength={255} />
      </Field>
      <Field name="description" label={w.description}>
        <Input.TextArea rows={2} maxLength={1024} />
      </Field>
    </>
  );
}

export function UserFields({ fresh }: { fresh: boolean }) {
  const w = useWords(userWords);
  const roles = useGet('/api/v2/iam/roles', {});
  const options = (roles.data?.contents ?? []).map((r) => ({ value: r.id ?? 0, label: r.name, title: r.description }));
  return (
    <>
      {fresh ? (
        <>
          <Field name="username" label={w.username} required>
            <Input maxLength={128} autoComplete="off" autoFocus />
          </Field>
          <Field name="password" label={w.firstPassword} required>
            <Input.Password autoComplete="new-password" />
          </Field>
          <Field name="needChangePassword" label={w.mustChange} valuePropName="checked">
            <Switch />
          </Field>
        </>
      ) : null}
      <Field name="roles" label={w.roles}>
        <Select
          mode="multiple"
          options={options}
          loading={roles.isPending}
          showSearch={{ optionFilterProp: 'label' }}
        />
      </Field>
      <ContactFields />
      <Field name="enabled" label={w.enabled} valuePropName="checked">
        <Switch />
      </Field>
    </>
  );
}
