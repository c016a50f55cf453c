// SPDX-License-Identifier: Apache-2.0
// Credentials taken along: out into an encrypted file, and in from one.
import { Button, Input, Select, Table, Tag } from 'antd';
import { useState } from 'react';

import type { Data } from '../../api/types';
import { download } from '../../parts/download';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { ticks } from '../../parts/server-table';
import { useAction } from '../../parts/use-action';
import { fill, useWords } from '../../words';
import { common } from '../../words.common';

const words = {
  ...common,
  export: ['Export', '导出'],
  exportTitle: ['Export {0} credentials', '导出 {0} 个凭据'],
  exported: ['The file was made', '文件已生成'],
  passphrase: ['Passphrase', '口令'],
  passphraseExtra: [
    '8 to 256 bytes. It encrypts the file and is not kept: without it nobody opens the file.',
    '8 到 256 字节，用于加密文件且不会保存；丢失后无法打开文件。',
  ],
  again: ['Passphrase, again', '确认口令'],
  differs: ['The two passphrases differ', '两次输入的口令不一致'],
  import: ['Import', '导入'],
  importTitle: ['Import credentials', '导入凭据'],
  imported: ['The credentials were imported', '凭据已导入'],
  check: ['Show what is in it', '检查文件'],
  file: ['File', '文件'],
  another: ['Another file', '更换文件'],
  content: ['Credentials in the file', '文件中的凭据'],
  login: ['Login name', '登录用户名'],
  fresh: ['New', '新增'],
  exists: ['Exists', '已存在'],
  duplicates: ['Those whose name exists', '同名凭据'],
  SKIP: ['Skip', '跳过'],
  REPLACE: ['Replace yours', '替换'],
  RENAME: ['Keep both, under another name', '重命名后导入'],
} as const;

const BOX = '/api/v2/profiles/me/credentials';
const EXPORT = `${BOX}/export` as const;
const CHECK = `${BOX}/importPreCheck` as const;
const IMPORT = `${BOX}/import` as const;
type Entry = NonNullable<Data<'post', typeof CHECK>['contents']>[number];

interface ExportProps {
  open: boolean;
  ids: number[];
  onClose: () => void;
}

export function ExportDrawer({ open, ids, onClose }: ExportProps) {
  const w = useWords(words);
  const make = useAction('post', EXPORT, {
    done: w.exported,
    quiet: true,
    refreshes: [],
    then: (file: unknown) => {
      download(file as Blob, 'credentials.osf');
      onClose();
    },
  });
  const close = () => {
    make.reset();
    onClose();
  };
  return (
    <FormDrawer<{ secret: string }>
      open={open}
      title={fill(w.exportTitle, ids.length)}
      submit={w.export}
      running={make.running}
      error={make.error}
      onClose={close}
      onSubmit={({ secret }) => make.run({ body: { credentialIds: ids, secret } })}
    >
      <Field name="secret" label={w.passphrase} extra={w.passphraseExtra} required>
        <Input.Password autoComplete="new-password" autoFocus />
      </Field>
      <Field
        name="again"
        label={w.again}
        dependencies={['secret']}
        required
        rules={[
          ({ getFieldValue }) => ({
            validator: (_, value) =>
              value === getFieldValue('secret') ? Promise.resolve() : Promise.reject(new Error(w.differs)),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Field>
    </FormDrawer>
  );
}

interface Source {
  file: File;
  secret: string;
}
type Duplicates = 'SKIP' | 'REPLACE' | 'RENAME';

function partsOf({ file, secret }: Source, more: Record<string, string> = {}) {
  const parts = new FormData();
  parts.set('file', file);
  for (const [name, value] of Object.entries({ secret, ...more })) parts.set(name, value);
  return parts;
}

function SourceFields() {
  const w = useWords(words);
  return (
    <>
      <Field
        name="file"
        label={w.file}
        required
        getValueProps={() => ({})} // scripts may not set what a file input holds
        getValueFromEvent={(e: React.ChangeEvent<HTMLInputElement>) => e.target.files?.[0]}
      >
        <input type="file" accept=".osf" />
      </Field>
      <Field name="secret" label={w.passphrase} required>
        <Input.Password autoComplete="off" />
      </Field>
    </>
  );
}

interface ContentProps {
  entries: Entry[];
  chosen: Entry[];
  onChoose: (entries: Entry[]) => void;
}

function Content({ entries, chosen, onChoose }: ContentProps) {
  const w = useWords(words);
  return (
    <>
      <Table<Entry>
        aria-label={w.content}
        size="small"
        rowKey="number"
        dataSource={entries}
        pagination={false}
        style={{ marginBottom: 16 }}
        rowSelection={ticks({ rows: chosen, nameOf: (e) => e.name ?? '', onChange: onChoose }, 'number', w)}
        columns={[
          { title: w.name, dataIndex: 'name' },
          { title: w.login, dataIndex: 'username' },
          {
            title: w.status,
            render: (_, e) => (e.duplicate ? <Tag color="warning">{w.exists}</Tag> : <Tag>{w.fresh}</Tag>),
          },
        ]}
      />
      <Field name="duplicates" label={w.duplicates} required>
        <Select options={(['SKIP', 'REPLACE', 'RENAME'] as const).map((value) => ({ value, label: w[value] }))} />
      </Field>
    </>
  );
}

/** First the file and its passphrase, then what it holds and what shall be kept of it. */
export function ImportDrawer({ open, onClose }: { open: boolean; onClose: () => void }) {
  const w = useWords(words);
  const [source, setSource] = useState<Source>();
  const [entries, setEntries] = useState<Entry[]>();
  const [chosen, setChosen] = useState<Entry[]>([]);
  const close = () => {
    check.reset();
    store.reset();
    setSource(undefined);
    setEntries(undefined);
    onClose();
  };
  const check = useAction('post', CHECK, {
    done: '',
    quiet: true,
    refreshes: [],
    then: ({ contents = [] }) => {
      setEntries(contents);
      setChosen(contents);
    },
  });
  const store = useAction('post', IMPORT, { done: w.imported, quiet: true, refreshes: [BOX], then: close });
  const submit = (values: Source & { duplicates: Duplicates }) => {
    if (source === undefined || entries === undefined) {
      setSource(values);
      check.run({ parts: partsOf(values) });
      return;
    }
    const numbers = chosen.map((e) => e.number).join();
    store.run({ parts: partsOf(source, { numbers, duplicates: values.duplicates }) });
  };
  const another = () => {
    store.reset();
    setEntries(undefined);
  };
  return (
    <FormDrawer<Source & { duplicates: Duplicates }>
      open={open}
      title={w.importTitle}
      submit={entries === undefined ? w.check : w.import}
      initial={{ duplicates: 'SKIP' }}
      running={check.running || store.running}
      error={check.error ?? store.error}
      onClose={close}
      onSubmit={submit}
      width={640}
      disabled={entries !== undefined && chosen.length === 0}
    >
      {entries === undefined ? (
        <SourceFields />
      ) : (
        <>
          <p>
            {source?.file.name} <Button onClick={another}>{w.another}</Button>
          </p>
          <Content entries={entries} chosen={chosen} onChoose={setChosen} />
        </>
      )}
    </FormDrawer>
  );
}
