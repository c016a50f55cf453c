// SPDX-License-Identifier: Apache-2.0
import { Button, Tag } from 'antd';
import { Link } from 'react-router-dom';

import type { Row } from '../api/types';
import { DeleteDialog } from '../parts/delete-dialog';
import { PageHead } from '../parts/page-head';
import { IfMay } from '../parts/permission-guard';
import { RowActions } from '../parts/row-actions';
import { type Column, ServerTable } from '../parts/server-table';
import { bytes } from '../parts/size';
import { Time } from '../parts/time';
import { useDialog } from '../parts/use-dialog';
import { useWords } from '../words';
import { UploadDrawer } from './packages/upload-drawer';
import { packageWords, TYPES } from './packages/words';

const words = {
  ...packageWords,
  upload: ['Upload packages', '上传软件包'],
  search: ['Name or file', '名称或文件名'],
} as const;

const ARCHITECTURES = ['x86_64', 'aarch64', 'noarch'];
const PATH = '/api/v2/software-packages';
type Package = Row<typeof PATH>;

export default function Packages() {
  const w = useWords(words);
  const dialog = useDialog<Package>();
  const columns: Column<Package>[] = [
    {
      title: w.file,
      dataIndex: 'fileName',
      sort: true,
      render: (p) => (
        <>
          <Link to={`/package/${p.id ?? 0}`}>{p.fileName}</Link>{' '}
          {p.deletable === false ? <Tag color="processing">{w.inUse}</Tag> : null}
        </>
      ),
    },
    {
      title: w.type,
      dataIndex: 'type',
      sort: true,
      render: (p) => (w as Record<string, string>)[p.type ?? ''] ?? p.type,
    },
    { title: w.version, dataIndex: 'version', sort: true },
    { title: w.system, dataIndex: 'operatingSystem' },
    { title: w.architecture, dataIndex: 'architecture' },
    { title: w.size, dataIndex: 'size', sort: true, render: (p) => bytes(p.size) },
    { title: w.creator, dataIndex: 'creator' },
    { title: w.uploaded, dataIndex: 'createTime', sort: true, render: (p) => <Time at={p.createTime} /> },
    {
      title: w.actions,
      fixed: 'right',
      render: (p) => (
        <>
          <Button type="link" size="small" href={p.downloadUrl} download={p.fileName}>
            {w.downloadIt}
          </Button>
          <RowActions
            actions={[
              { label: w.remove, danger: true, needs: 'PACKAGE:*:DELETE', onClick: () => dialog.show('remove', p) },
            ]}
          />
        </>
      ),
    },
  ];
  const filters = [
    { name: 'keyword', label: w.search },
    { name: 'architecture', label: w.architecture, options: ARCHITECTURES.map((value) => ({ value, label: value })) },
    { name: 'type', label: w.type, options: TYPES.map((value) => ({ value, label: w[value] })) },
  ];
  return (
    <>
      <PageHead title={w.title}>
        <IfMay needs="PACKAGE:*:CREATE">
          <Button type="primary" onClick={() => dialog.show('upload')}>
            {w.upload}
          </Button>
        </IfMay>
      </PageHead>
      <ServerTable path={PATH} columns={columns} rowKey="id" label={w.title} filters={filters} everyMs={10000} />
      <UploadDrawer open={dialog.is('upload')} onClose={dialog.hide} />
      <DeleteDialog
        open={dialog.is('remove')}
        path="/api/v2/software-packages/{id}"
        input={{ path: { id: dialog.subject?.id ?? 0 } }}
        name={dialog.subject?.fileName ?? ''}
        onClose={dialog.hide}
      />
    </>
  );
}
