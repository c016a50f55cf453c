// SPDX-License-Identifier: Apache-2.0
import { Button, Drawer, Form, type FormInstance, Space } from 'antd';
import { type ReactNode, useId, useState } from 'react';

import type { ApiError } from '../api/call';
import { useWords } from '../words';
import { common } from '../words.common';
import { ErrorView } from './error-view';
import { focusField, useFocusOnOpen } from './focus';

interface Props<T extends object> {
  open: boolean;
  title: string;
  /** Of the body that the operation takes: FormDrawer<Body<'post', '/api/v2/compute/regions'>>. */
  initial?: Partial<T>;
  form?: FormInstance<T>;
  submit?: string;
  /** There is nothing to submit yet. */
  disabled?: boolean;
  running: boolean;
  error: ApiError | null;
  onSubmit: (values: T) => void;
  onClose: () => void;
  /** Form items. */
  children: ReactNode;
  width?: number;
}

/** A form at the side. What the server refuses is shown in it, and nothing typed is lost. */
export function FormDrawer<T extends object>(p: Props<T>) {
  const w = useWords(common);
  const id = useId();
  // Opened again while it still closes, it is another form: nothing of the former one may stay in it.
  const [now, setNow] = useState({ open: p.open, round: 0 });
  if (now.open !== p.open) setNow({ open: p.open, round: now.round + (p.open ? 1 : 0) });
  useFocusOnOpen(p.open, id);
  const footer = (
    <Space>
      <Button type="primary" htmlType="submit" form={id} loading={p.running} disabled={p.disabled}>
        {p.submit ?? w.save}
      </Button>
      <Button onClick={p.onClose}>{w.cancel}</Button>
    </Space>
  );
  return (
    <Drawer
      open={p.open}
      title={p.title}
      size={p.width ?? 480}
      onClose={p.onClose}
      afterOpenChange={(open) => open && focusField(id)}
      footer={footer}
      destroyOnHidden
    >
      <Form<T>
        key={now.round}
        id={id}
        form={p.form}
        layout="vertical"
        initialValues={p.initial}
        onFinish={p.onSubmit}
        scrollToFirstError
        requiredMark="optional"
      >
        {p.error ? (
          <div style={{ marginBottom: 16 }}>
            <ErrorView error={p.error} />
          </div>
        ) : null}
        {p.children}
      </Form>
    </Drawer>
  );
}
