// SPDX-License-Identifier: Apache-2.0
import { Form, Input, Modal } from 'antd';
import { type ReactNode, useState } from 'react';

import type { ApiError } from '../api/call';
import { fill, useWords } from '../words';
import { common } from '../words.common';
import { ErrorView } from './error-view';
import { focusField, useFocusOnOpen } from './focus';

interface Props {
  open: boolean;
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** To be typed: "delete" unless said otherwise. */
  word?: string;
  running?: boolean;
  error?: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks for a word before something is destroyed. */
export function ConfirmTyped({ open, title, children, word = 'delete', running, error, onConfirm, onClose }: Props) {
  const w = useWords(common);
  const [typed, setTyped] = useState('');
  const ready = typed === word;
  useFocusOnOpen(open, 'confirm-word');
  return (
    <Modal
      open={open}
      title={title}
      okText={w.confirm}
      cancelText={w.cancel}
      okButtonProps={{ danger: true, disabled: !ready, loading: running }}
      onOk={onConfirm}
      onCancel={onClose}
      afterClose={() => setTyped('')}
      afterOpenChange={(shown) => shown && focusField('confirm-word')}
      destroyOnHidden
    >
      <Form layout="vertical" onFinish={() => ready && onConfirm()}>
        <p>{children}</p>
        <Form.Item label={fill(w.typeWord, word)} htmlFor="confirm-word">
          <Input
            id="confirm-word"
            value={typed}
            onChange={(e) => setTyped(e.target.value)}
            autoComplete="off"
            autoFocus
          />
        </Form.Item>
        {error ? <ErrorView error={error} /> : null}
      </Form>
    </Modal>
  );
}
