// SPDX-License-Identifier: Apache-2.0
import { useParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import { DetailCard } from '../parts/detail-card';
import { ObjectPage } from '../parts/object-page';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { say, useLanguage, useWords } from '../words';
import { common } from '../words.common';
import { kinds } from './host-kinds';

const words = {
  ...common,
  basics: ['Basics', '基本信息'],
  address: ['Address', 'IP 地址'],
  sshPort: ['SSH port', 'SSH 端口'],
  kind: ['Kind', '主机种类'],
  idc: ['IDC', '机房'],
  region: ['Region', '区域'],
  hostType: ['Host type', '主机类型'],
  system: ['Operating system', '操作系统'],
  architecture: ['Architecture', '架构'],
  serial: ['Serial number', '序列号'],
  alias: ['Alias', '别名'],
} as const;

export default function Host() {
  const w = useWords(words);
  const { language } = useLanguage();
  const { id } = useParams();
  const host = useGet('/api/v2/compute/hosts/{hostId}', { path: { hostId: Number(id) } });
  return (
    <ObjectPage got={host} title={(h) => h.innerIpAddress} tags={(h) => <StatusTag status={h.status} />}>
      {(h) => (
        <DetailCard
          title={w.basics}
          details={[
            { label: w.name, value: h.name },
            { label: w.alias, value: h.alias },
            { label: w.address, value: h.innerIpAddress },
            { label: w.sshPort, value: h.sshPort },
            {
              label: w.kind,
              value:
                h.kind === undefined ? '-' : say(kinds[h.kind as keyof typeof kinds] ?? [h.kind, h.kind], language),
            },
            { label: w.hostType, value: h.typeName },
            { label: w.idc, value: h.idcName },
            { label: w.region, value: h.regionName },
            { label: w.system, value: [h.operatingSystem, h.operatingSystemRelease].filter(Boolean).join(' ') || '-' },
            { label: w.architecture, value: h.architecture },
            { label: w.serial, value: h.serialNumber },
            { label: w.created, value: <Time at={h.createTime} /> },
            { label: w.description, value: h.description },
          ]}
        />
      )}
    </ObjectPage>
  );
}
