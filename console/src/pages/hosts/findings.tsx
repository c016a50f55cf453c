// SPDX-License-Identifier: Apache-2.0
// What was found on hosts before they are added: each host, each rule, every reason against it with what to do.
import { Alert, Card, Tag } from 'antd';
import { useEffect, useRef } from 'react';

import type { Data } from '../../api/types';
import { fill, useWords } from '../../words';
import { hostWords } from './words';

const words = {
  ...hostWords,
  fine: ['Nothing speaks against adding these hosts.', '检查通过，可以添加这些主机。'],
  bad: ['What speaks against adding them: {0}', '{0} 项检查未通过'],
  ok: ['passed', '通过'],
  notOk: ['{0} found', '{0} 项未通过'],
  together: ['All of them together', '批次一致性'],
  ssh: ['SSH', 'SSH 登录'],
  sudo: ['sudo', 'sudo 权限'],
  latency: ['Latency', '网络延迟'],
  clock: ['Clock', '时钟偏差'],
  system: ['Operating system', '操作系统'],
  OCP: ['Reaches OCP', '访问 OCP'],
  ports: ['Ports', '端口'],
  directory: ['Directory', '安装目录'],
  disk: ['Disk', '磁盘空间'],
  known: ['New here', '未重复添加'],
  batch: ['Alike', '一致性'],
} as const;

export type Precheck = Data<'post', '/api/v2/compute/hosts/batchCreatePreCheck'>;
type Finding = NonNullable<Precheck['checkResults']>[number];

function useRule() {
  const w = useWords(words);
  return (check = '') => (check === 'address' ? w.OCP : ((w as Record<string, string>)[check] ?? check));
}

function HostFindings({ ip, of }: { ip: string; of: Finding[] }) {
  const w = useWords(words);
  const rule = useRule();
  const against = of.filter((f) => f.passed !== true);
  return (
    <Card
      size="small"
      title={ip === '' ? w.together : ip}
      extra={
        <Tag color={against.length === 0 ? 'success' : 'error'}>
          {against.length === 0 ? w.ok : fill(w.notOk, against.length)}
        </Tag>
      }
      style={{ marginBottom: 8 }}
    >
      <ul className="findings">
        {[...against, ...of.filter((f) => f.passed === true)].map((f, i) => (
          <li key={i}>
            <span className={f.passed === true ? 'step-key-done' : 'step-key-broken'} aria-hidden>
              {f.passed === true ? '✓' : '✕'}
            </span>
            <strong>{rule(f.check)}</strong>
            <span className={f.passed === true ? 'quiet' : 'breaks'}>{f.passed === true ? w.ok : f.reason}</span>
            {f.passed === true ? null : <span className="finding-code">{fill(w.code, f.errorCode ?? 0)}</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Findings({ of }: { of: Precheck }) {
  const w = useWords(words);
  const found = of.checkResults ?? [];
  const ips = [...new Set(found.map((f) => f.innerIpAddress ?? ''))];
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    section.current?.scrollIntoView({ block: 'nearest' }); // what it gives in newer browsers is no clean-up
  }, [of]);
  const count = (ip: string) => found.filter((f) => f.innerIpAddress === ip && f.passed !== true).length;
  return (
    <section aria-live="polite" ref={section}>
      <Alert
        type={of.valid === true ? 'success' : 'error'}
        showIcon
        role={of.valid === true ? 'status' : 'alert'}
        title={of.valid === true ? w.fine : fill(w.bad, of.messages?.length ?? 0)}
        style={{ marginBottom: 8 }}
      />
      {ips
        .sort((a, b) => count(b) - count(a))
        .map((ip) => (
          <HostFindings key={ip} ip={ip} of={found.filter((f) => (f.innerIpAddress ?? '') === ip)} />
        ))}
    </section>
  );
}
