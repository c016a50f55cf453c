// SPDX-License-Identifier: Apache-2.0
import { Button, Table, Tag, Typography } from 'antd';
import { Link, useNavigate, useParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Data } from '../api/types';
import { DeleteDialog } from '../parts/delete-dialog';
import { DetailCard } from '../parts/detail-card';
import { Empty } from '../parts/empty';
import { ObjectPage } from '../parts/object-page';
import { IfMay } from '../parts/permission-guard';
import { bytes } from '../parts/size';
import { Time } from '../parts/time';
import { useDialog } from '../parts/use-dialog';
import { useWords } from '../words';
import { packageWords } from './packages/words';

const words = {
  ...packageWords,
  basics: ['Basics', '基本信息'],
  hosts: ['Hosts that were given it', '已分发的主机'],
  noHost: ['No host was given it yet', '尚未分发到任何主机'],
  host: ['Host', '主机'],
  brought: ['Brought there', '分发时间'],
} as const;

const PATH = '/api/v2/software-packages/{id}';
type Package = Data<'get', typeof PATH>;
type PackageHost = NonNullable<Package['installationDataList']>[number];

function Hosts({ of }: { of: Package }) {
  const w = useWords(words);
  return (
    <>
      <h2 style={{ fontSize: 14 }}>{w.hosts}</h2>
      <Table<PackageHost>
        aria-label={w.hosts}
        size="middle"
        rowKey="hostId"
        dataSource={of.installationDataList ?? []}
        pagination={{ hideOnSinglePage: true, pageSize: 20 }}
        locale={{ emptyText: <Empty text={w.noHost} /> }}
        columns={[
          { title: w.host, render: (_, h) => <Link to={`/host/${h.hostId ?? 0}`}>{h.innerIpAddress}</Link> },
          { title: w.brought, render: (_, h) => <Time at={h.installTime} /> },
        ]}
      />
    </>
  );
}

export default function PackagePage() {
  const w = useWords(words);
  const id = Number(useParams().id);
  const navigate = useNavigate();
  const dialog = useDialog();
  const got = useGet(PATH, { path: { id } });
  return (
    <ObjectPage
      got={got}
      title={(p) => <span className="breaks">{p.fileName}</span>}
      tags={(p) => (p.deletable === false ? <Tag color="processing">{w.inUse}</Tag> : null)}
      actions={(p) => (
        <>
          <Button href={p.downloadUrl} download={p.fileName}>
            {w.downloadIt}
          </Button>
          <IfMay needs="PACKAGE:*:DELETE">
            <Button danger onClick={() => dialog.show('remove')}>
              {w.remove}
            </Button>
          </IfMay>
        </>
      )}
    >
      {(p) => (
        <>
          <DetailCard
            title={w.basics}
            details={[
              { label: w.name, value: p.name },
              { label: w.type, value: (w as Record<string, string>)[p.type ?? ''] ?? p.type },
              { label: w.version, value: p.version },
              { label: w.build, value: p.buildNumber },
              { label: w.system, value: p.operatingSystem },
              { label: w.architecture, value: p.architecture },
              { label: w.size, value: bytes(p.size) },
              { label: w.creator, value: p.creator },
              { label: w.uploaded, value: <Time at={p.createTime} /> },
              {
                label: 'SHA-256',
                value: (
                  <Typography.Text copyable className="breaks">
                    {p.sha256}
                  </Typography.Text>
                ),
                span: 2,
              },
            ]}
          />
          <Hosts of={p} />
          <DeleteDialog
            open={dialog.is('remove')}
            path={PATH}
            input={{ path: { id } }}
            name={p.fileName ?? ''}
            onClose={dialog.hide}
            onDone={() => void navigate('/package')}
          />
        </>
      )}
    </ObjectPage>
  );
}
