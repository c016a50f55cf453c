// SPDX-License-Identifier: Apache-2.0
import { Button, Card, Input, Table, Typography } from 'antd';

import type { Data } from '../../api/types';
import { DetailCard } from '../../parts/detail-card';
import { Field } from '../../parts/field';
import { FormDrawer } from '../../parts/form-drawer';
import { IfMay } from '../../parts/permission-guard';
import { bytes, rounded } from '../../parts/size';
import { Time } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import { tenantNeeds, tenantPath } from './tenant-of';
import { ob } from './words';

const words = {
  ...ob,
  number: ['Tenant number', '租户 ID'],
  role: ['Role', '租户角色'],
  timeZone: ['Time zone', '时区'],
  compatible: ['Compatible with', '兼容版本'],
  locality: ['Locality', '副本分布'],
  replicas: ['Replicas', '副本详情'],
  replicaType: ['Replica', '副本类型'],
  pool: ['Resource pool', '资源池'],
  unitCount: ['Units', 'Unit 数量'],
  size: ['Size of a unit', 'Unit 规格'],
  sizeText: ['{0} cores, {1}, log disk {2}', '{0} 核，{1}，日志盘 {2}'],
  whitelist: ['Whitelist', '白名单'],
  whitelistHelp: [
    'Addresses, networks and patterns with % and _, separated by commas. % alone lets everybody in.',
    '以英文逗号分隔的 IP 地址、网段，或含 % 和 _ 的模式；单独一个 % 表示允许所有地址。',
  ],
  whitelistSaved: ['The whitelist was changed', '白名单已修改'],
  notKnown: ['It cannot be asked at present', '当前无法获取'],
  through: ['By way of', '连接方式'],
  string: ['Connection string', '连接串'],
  DIRECT: ['To a server', '直连'],
  OBPROXY: ['Through an OBProxy', '通过 OBProxy'],
} as const;

type Tenant = Data<'get', '/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}'>;
type Zone = NonNullable<Tenant['zones']>[number];
type Connection = NonNullable<Tenant['connectionStrings']>[number];

export function Connections({ of }: { of: Connection[] | undefined }) {
  const w = useWords(words);
  const withZones = of?.some((c) => (c.obZone ?? '') !== '') === true;
  return (
    <Card size="small" title={w.connection} style={{ marginBottom: 16 }}>
      <Table<Connection>
        aria-label={w.connection}
        size="small"
        pagination={false}
        rowKey={(c) => `${c.obZone ?? ''} ${c.connectionString ?? ''}`}
        dataSource={of ?? []}
        columns={[
          { title: w.through, width: 200, render: (_, c) => (c.type === 'OBPROXY' ? w.OBPROXY : w.DIRECT) },
          ...(withZones ? [{ title: w.zone, width: 160, dataIndex: 'obZone' }] : []),
          {
            title: w.string,
            render: (_, c) => (
              <Typography.Text code copyable={{ text: c.connectionString }}>
                {c.connectionString}
              </Typography.Text>
            ),
          },
        ]}
      />
    </Card>
  );
}

export function Whitelist({ of }: { of: Tenant }) {
  const w = useWords(words);
  const dialog = useDialog();
  const tenant = { cluster: of.clusterId ?? 0, tenant: of.id ?? 0, mode: of.mode };
  const change = useAction('post', '/api/v2/ob/clusters/{id}/tenants/{tenantId}/modifyWhitelist', {
    done: w.whitelistSaved,
    quiet: true,
    refreshes: ['/api/v2/ob/clusters/{clusterId}/tenants/{tenantId}'],
    then: dialog.hide,
  });
  const edit = (
    <IfMay needs={tenantNeeds(tenant, 'UPDATE')}>
      <Button size="small" aria-label={`${w.edit}: ${w.whitelist}`} onClick={() => dialog.show('edit')}>
        {w.edit}
      </Button>
    </IfMay>
  );
  return (
    <Card size="small" title={w.whitelist} extra={edit} style={{ marginBottom: 16 }}>
      <span className="breaks">{of.whitelist ?? w.notKnown}</span>
      <FormDrawer<{ whitelist: string }>
        open={dialog.is('edit')}
        title={`${w.whitelist}: ${of.name ?? ''}`}
        initial={{ whitelist: of.whitelist }}
        running={change.running}
        error={change.error}
        onClose={() => {
          change.reset();
          dialog.hide();
        }}
        onSubmit={(body) => change.run({ path: tenantPath(tenant), body })}
      >
        <Field name="whitelist" label={w.whitelist} required extra={w.whitelistHelp}>
          <Input.TextArea rows={6} autoFocus />
        </Field>
      </FormDrawer>
    </Card>
  );
}

function Replicas({ of }: { of: Zone[] | undefined }) {
  const w = useWords(words);
  const size = (z: Zone) => {
    const c = z.resourcePool?.unitConfig;
    return c === undefined
      ? '-'
      : fill(w.sizeText, rounded(c.maxCpuCoreCount), bytes(gigabytes(c.maxMemorySize)), bytes(c.logDiskSize));
  };
  const servers = (z: Zone) =>
    (z.units ?? []).map((u) => <div key={u.id}>{`${u.serverIp ?? ''}:${u.serverPort ?? ''}`}</div>);
  return (
    <Card size="small" title={w.replicas} style={{ marginBottom: 16 }}>
      <Table<Zone>
        aria-label={w.replicas}
        size="small"
        pagination={false}
        rowKey={(z) => z.name ?? ''}
        scroll={{ x: 'max-content' }}
        dataSource={of ?? []}
        columns={[
          { title: w.zone, dataIndex: 'name' },
          { title: w.replicaType, render: (_, z) => z.replicaType ?? '-' },
          { title: w.pool, render: (_, z) => z.resourcePool?.name ?? '-' },
          { title: w.unitCount, render: (_, z) => z.units?.length ?? 0 },
          { title: w.size, render: (_, z) => size(z) },
          { title: w.servers, render: (_, z) => servers(z) },
        ]}
      />
    </Card>
  );
}

/* The memory of a unit is told in GB. */
const gigabytes = (n: number | undefined) => (n === undefined ? undefined : n * 2 ** 30);

export function TenantOverview({ of }: { of: Tenant }) {
  const w = useWords(words);
  return (
    <>
      <DetailCard
        title={w.basics}
        details={[
          { label: w.number, value: of.obTenantId },
          { label: w.mode, value: of.mode },
          { label: w.role, value: of.tenantRole },
          { label: w.charset, value: of.charset },
          { label: w.collation, value: of.collation },
          { label: w.timeZone, value: of.timeZone },
          { label: w.compatible, value: of.compatible },
          { label: w.primaryZone, value: of.primaryZone },
          { label: w.locality, value: of.locality },
          { label: w.created, value: <Time at={of.createTime} /> },
          { label: w.description, value: of.description },
        ]}
      />
      <Connections of={of.connectionStrings} />
      <Replicas of={of.zones} />
      <Whitelist of={of} />
    </>
  );
}
