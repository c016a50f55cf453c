// SPDX-License-Identifier: Apache-2.0
// Packages are sent one after the other; how far each has come, and what was wrong with it, stands beside its name.
import { Button, Drawer, Flex, Progress } from 'antd';
import { type ChangeEvent, useEffect, useId, useRef, useState } from 'react';

import { ApiError } from '../../api/call';
import { useRefresh } from '../../api/hooks';
import { upload } from '../../api/upload';
import { ErrorView } from '../../parts/error-view';
import { useFocusOnOpen } from '../../parts/focus';
import { bytes } from '../../parts/size';
import { fill, useWords } from '../../words';
import { packageWords } from './words';

const words = {
  ...packageWords,
  upload: ['Upload packages', '上传软件包'],
  choose: ['RPM files', 'RPM 文件'],
  help: [
    'RPM packages of OceanBase, OBProxy and what belongs to them. The server reads their header and refuses what it has already.',
    '支持 OceanBase、OBProxy 及相关组件的 RPM 包。服务器将读取包头信息，并拒绝重复的软件包。',
  ],
  waits: ['waiting', '等待上传'],
  checks: ['is being checked', '校验中'],
  done: ['Uploaded', '上传成功'],
  stopped: ['Stopped', '已终止'],
  sent: ['{0} of {1}', '{0} / {1}'],
  stop: ['Stop', '终止'],
} as const;

const PATH = '/api/v2/software-packages';

interface Sending {
  id: number;
  file: File;
  sent: number;
  state: 'waits' | 'sends' | 'done' | 'failed' | 'stopped';
  error?: ApiError;
}

/** The files and how far they have come; one is sent at a time. */
function useUploads() {
  const [all, setAll] = useState<Sending[]>([]);
  const refresh = useRefresh();
  const stops = useRef(new Map<number, AbortController>());
  const next = useRef(0);
  const chain = useRef(Promise.resolve());
  const change = (id: number, to: Partial<Sending>) =>
    setAll((old) => old.map((s) => (s.id === id ? { ...s, ...to } : s)));

  const send = async ({ id, file }: Sending, stop: AbortController) => {
    if (stop.signal.aborted) return;
    change(id, { state: 'sends' });
    try {
      await upload(PATH, file, { onProgress: (sent) => change(id, { sent }), signal: stop.signal });
      change(id, { state: 'done', sent: file.size });
      await refresh(PATH);
    } catch (error) {
      if (!stop.signal.aborted) change(id, { state: 'failed', error: error instanceof ApiError ? error : undefined });
    }
  };
  const add = (files: File[]) => {
    const added = files.map((file) => ({ id: ++next.current, file, sent: 0, state: 'waits' as const }));
    setAll((old) => [...old, ...added]);
    for (const one of added) {
      const stop = new AbortController();
      stops.current.set(one.id, stop);
      chain.current = chain.current.then(() => send(one, stop));
    }
  };
  const stop = (id: number) => {
    stops.current.get(id)?.abort();
    change(id, { state: 'stopped' });
  };
  useEffect(() => {
    const running = stops.current;
    return () => running.forEach((s) => s.abort()); // the page was left
  }, []);
  return { all, add, stop, busy: all.some((s) => s.state === 'waits' || s.state === 'sends') };
}

function OneUpload({ of, onStop }: { of: Sending; onStop: () => void }) {
  const w = useWords(words);
  const percent = of.file.size === 0 ? 0 : Math.floor((of.sent / of.file.size) * 100);
  const progress = fill(w.sent, bytes(of.sent), bytes(of.file.size));
  const text = {
    waits: w.waits,
    sends: percent === 100 ? w.checks : progress,
    done: w.done,
    failed: '',
    stopped: w.stopped,
  };
  return (
    <li style={{ marginBottom: 16 }}>
      <Flex gap={8} align="center">
        <strong className="breaks">{of.file.name}</strong>
        <span className="quiet" role="status">
          {text[of.state]}
        </span>
        {of.state === 'waits' || of.state === 'sends' ? (
          <Button size="small" style={{ marginLeft: 'auto' }} aria-label={`${w.stop} ${of.file.name}`} onClick={onStop}>
            {w.stop}
          </Button>
        ) : null}
      </Flex>
      {of.state === 'failed' && of.error !== undefined ? (
        <ErrorView error={of.error} />
      ) : (
        <Progress
          aria-label={`${of.file.name}: ${progress}`}
          percent={percent}
          size="small"
          status={of.state === 'done' ? 'success' : 'normal'}
        />
      )}
    </li>
  );
}

/** Keeps sending while it is closed, as long as its page is open. */
export function UploadDrawer({ open, onClose }: { open: boolean; onClose: () => void }) {
  const w = useWords(words);
  const id = useId();
  const uploads = useUploads();
  useFocusOnOpen(open, id);
  useEffect(() => {
    if (!uploads.busy) return undefined;
    const warn = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [uploads.busy]);
  const choose = (e: ChangeEvent<HTMLInputElement>) => {
    uploads.add([...(e.target.files ?? [])]);
    e.target.value = ''; // the same file may be chosen again
  };
  return (
    <Drawer
      open={open}
      title={w.upload}
      size={560}
      onClose={onClose}
      footer={<Button onClick={onClose}>{w.close}</Button>}
    >
      <p>{w.help}</p>
      <p>
        <label htmlFor={id}>{w.choose}</label> <input id={id} type="file" accept=".rpm" multiple onChange={choose} />
      </p>
      <ul style={{ listStyle: 'none', padding: 0 }}>
        {uploads.all.map((s) => (
          <OneUpload key={s.id} of={s} onStop={() => uploads.stop(s.id)} />
        ))}
      </ul>
    </Drawer>
  );
}
