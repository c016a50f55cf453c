// SPDX-License-Identifier: Apache-2.0
// A form whose content is looked at before anything is done with it. What was found belongs to what was typed: whatever is typed
// afterwards is looked at anew.
import { Alert, Button, Card, Flex, Form, type FormInstance } from 'antd';
import type { ReactNode } from 'react';

import type { ApiError } from '../api/call';
import { useWords } from '../words';
import { common } from '../words.common';
import { ErrorView } from './error-view';

/** What a look found, with every reason against it. */
export function Verdict({ fine, title, reasons = [] }: { fine: boolean; title: string; reasons?: string[] }) {
  const list = (
    <ul style={{ margin: 0, paddingInlineStart: 20 }}>
      {reasons.map((r) => (
        <li key={r} className="breaks">
          {r}
        </li>
      ))}
    </ul>
  );
  return (
    <Alert
      type={fine ? 'success' : 'error'}
      role={fine ? 'status' : 'alert'}
      showIcon
      title={title}
      description={fine ? undefined : list}
      style={{ marginBottom: 16 }}
    />
  );
}

/** One of the two things that the form does: as useAction gives it. */
interface Step<T> {
  label: string;
  send: (values: T) => void;
  action: { running: boolean; error: ApiError | null; reset: () => void };
}

interface Props<T extends object> {
  intro: string;
  width: number;
  form?: FormInstance<T>;
  initial: Partial<T>;
  look: Step<T>;
  act: Step<T>;
  /** The look found nothing against it: submitting acts. */
  ready: boolean;
  /** What the look found. */
  found: ReactNode;
  onForget: () => void;
  onCancel: () => void;
  /** Form items. */
  children: ReactNode;
}

export function CheckedForm<T extends object>({ look, act, ready, ...p }: Props<T>) {
  const w = useWords(common);
  const error = act.action.error ?? look.action.error;
  const submit = (values: T) => {
    act.action.reset();
    (ready ? act : look).send(values);
  };
  return (
    <Card style={{ maxWidth: p.width }}>
      <p style={{ marginTop: 0 }}>{p.intro}</p>
      <Form<T>
        form={p.form}
        layout="vertical"
        requiredMark="optional"
        scrollToFirstError
        initialValues={p.initial}
        onFinish={submit}
        onValuesChange={() => {
          p.onForget();
          look.action.reset();
        }}
      >
        {p.children}
        {error === null ? null : (
          <div style={{ marginBottom: 16 }}>
            <ErrorView error={error} />
          </div>
        )}
        {p.found}
        <Flex gap={8}>
          <Button type="primary" htmlType="submit" loading={look.action.running || act.action.running}>
            {(ready ? act : look).label}
          </Button>
          <Button onClick={p.onCancel}>{w.cancel}</Button>
        </Flex>
      </Form>
    </Card>
  );
}
