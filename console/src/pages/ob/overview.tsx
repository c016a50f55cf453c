// SPDX-License-Identifier: Apache-2.0
// The first page: what there is, how it is, and what somebody should look at.
import { Card, Col, Flex, Row as Line, Statistic, Table, Typography } from 'antd';
import { Link } from 'react-router-dom';

import { useGet } from '../../api/hooks';
import type { Data, Row } from '../../api/types';
import { Empty } from '../../parts/empty';
import { ErrorView } from '../../parts/error-view';
import { Loading } from '../../parts/loading';
import { PageHead } from '../../parts/page-head';
import { share } from '../../parts/size';
import { StaleTag } from '../../parts/stale-tag';
import { Time } from '../../parts/time';
import { Usage } from '../../parts/usage';
import { useMay } from '../../session';
import { fill, useWords } from '../../words';
import { addressOf, StateTag } from './cluster-parts';
import { ClusterLink } from './clusters';
import { UsageBars } from './resources';
import { ob } from './words';

const words = {
  ...ob,
  instances: ['seekdb instances', 'seekdb 实例'],
  running: ['{0} running', '{0} 个运行中'],
  away: ['{0} cannot be asked', '{0} 个无法访问'],
  attention: ['Needs attention', '需要关注'],
  allWell: ['Nothing needs attention', '一切正常'],
  clusterAway: ['cannot be asked: {0}', '无法访问：{0}'],
  zoneStopped: ['Zone {0}', 'Zone {0}'],
  serverAway: ['Server {0}', 'OBServer {0}'],
  taskFailed: ['Task {0} failed', '任务 {0} 失败'],
  fullest: ['Fullest clusters', '资源使用率最高的集群'],
  all: ['All together', '资源汇总'],
  none: ['No cluster is managed here yet', '尚未管理任何集群'],
  takeOver: ['Take over a cluster', '接管集群'],
} as const;

const PATH = '/api/v2/ob/clusters';
const STATS = '/api/v2/ob/clusters/stats';
const EVERY_MS = 10000;
const MOST = 2000;
type Cluster = Row<typeof PATH>;
type Stats = Row<typeof STATS>;

interface Worry {
  key: string;
  cluster?: Cluster;
  text: string;
  status?: string;
  task?: number;
  at?: string;
}

/* A cluster that cannot be asked is one worry, not one for each of its servers. */
function worriesOf(c: Cluster, w: Record<keyof typeof words, string>): Worry[] {
  const key = String(c.id);
  if (c.stale === true)
    return [{ key, cluster: c, text: fill(w.clusterAway, c.failToQueryFromObReason ?? '-'), at: c.unreachableTime }];
  const zones = (c.zones ?? []).filter((z) => z.status !== 'RUNNING');
  const servers = (c.zones ?? []).flatMap((z) => z.servers ?? []).filter((s) => s.status !== 'RUNNING');
  return [
    ...zones.map((z) => ({
      key: `${key} ${z.name ?? ''}`,
      cluster: c,
      text: fill(w.zoneStopped, z.name ?? ''),
      status: z.status,
    })),
    ...servers.map((s) => ({
      key: `${key} ${addressOf(s)}`,
      cluster: c,
      text: fill(w.serverAway, addressOf(s)),
      status: s.status,
      at: s.stopTime,
    })),
  ];
}

function useFailedTasks(w: Record<keyof typeof words, string>): Worry[] {
  const may = useMay();
  const query = { status: ['FAILED'], page: 1, size: 5 } as never;
  const { data } = useGet('/api/v2/tasks/instances', { query }, { enabled: may('TASK:*:READ'), everyMs: EVERY_MS });
  return (data?.contents ?? []).map((t) => ({
    key: `task ${t.id ?? 0}`,
    text: fill(w.taskFailed, t.name ?? ''),
    task: t.id,
    at: t.finishTime,
  }));
}

function Worries({ clusters }: { clusters: Cluster[] }) {
  const w = useWords(words);
  const failed = useFailedTasks(w);
  const worries = [...clusters.flatMap((c) => worriesOf(c, w)), ...failed];
  return (
    <Card size="small" title={w.attention} style={{ marginBottom: 16 }}>
      {worries.length === 0 ? (
        w.allWell
      ) : (
        <ul className="topology">
          {worries.map((worry) => (
            <li key={worry.key}>
              <Flex gap={8} wrap align="center">
                {worry.cluster === undefined ? null : <ClusterLink of={worry.cluster} />}
                {worry.task === undefined ? worry.text : <Link to={`/task/${worry.task}`}>{worry.text}</Link>}
                {worry.status === undefined ? null : <StateTag status={worry.status} />}
                {worry.at === undefined ? null : (
                  <Typography.Text type="secondary">
                    <Time at={worry.at} />
                  </Typography.Text>
                )}
              </Flex>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const sum = (list: readonly (number | undefined)[]) => list.reduce<number>((a, b) => a + (b ?? 0), 0);

function Counts({ clusters }: { clusters: Cluster[] }) {
  const w = useWords(words);
  const away = (list: Cluster[]) => list.filter((c) => c.stale === true).length;
  const running = (list: Cluster[]) => list.filter((c) => c.status === 'RUNNING' && c.stale !== true).length;
  const [instances, whole] = [true, false].map((one) => clusters.filter((c) => (c.engine === 'SEEKDB') === one)) as [
    Cluster[],
    Cluster[],
  ];
  const servers = clusters.flatMap((c) => (c.zones ?? []).flatMap((z) => z.servers ?? []));
  const up = servers.filter((s) => s.status === 'RUNNING').length;
  const state = (list: Cluster[]) =>
    [fill(w.running, running(list)), ...(away(list) > 0 ? [fill(w.away, away(list))] : [])].join(', ');
  const cards = [
    { title: w.clusters, value: whole.length, note: state(whole) },
    { title: w.instances, value: instances.length, note: state(instances) },
    { title: w.servers, value: servers.length, note: fill(w.running, up) },
    { title: w.tenants, value: sum(clusters.map((c) => c.tenantCount)), note: '' },
  ];
  return (
    <Line gutter={[16, 16]} style={{ marginBottom: 16 }}>
      {cards.map((c) => (
        <Col key={c.title} xs={12} lg={6}>
          <Card size="small" style={{ height: '100%' }}>
            <Statistic title={c.title} value={c.value} />
            <Typography.Text type="secondary">{c.note}</Typography.Text>
          </Card>
        </Col>
      ))}
    </Line>
  );
}

const NUMBERS = [
  'cpuTotal',
  'cpuAssigned',
  'memoryTotalByte',
  'memoryAssignedByte',
  'logDiskTotalByte',
  'logDiskAssignedByte',
  'logDiskUsedByte',
  'dataDiskTotalByte',
  'dataDiskUsedByte',
] as const;

/** The sum of all. */
const together = (list: Stats[]): Data<'get', '/api/v2/ob/clusters/{id}/stats'> =>
  Object.fromEntries(NUMBERS.map((name) => [name, sum(list.map((s) => s[name]))]));

/* The share of what is scarcest. */
const fullness = (s: Stats) =>
  Math.max(
    share(s.cpuAssigned, s.cpuTotal) ?? 0,
    share(s.memoryAssignedByte, s.memoryTotalByte) ?? 0,
    share(s.dataDiskUsedByte, s.dataDiskTotalByte) ?? 0,
  );

function Fullest({ stats, clusters }: { stats: Stats[]; clusters: Cluster[] }) {
  const w = useWords(words);
  const five = [...stats].sort((a, b) => fullness(b) - fullness(a)).slice(0, 5);
  const engine = (s: Stats) => clusters.find((c) => c.id === s.clusterId)?.engine;
  return (
    <Card size="small" title={w.fullest}>
      <Table<Stats>
        aria-label={w.fullest}
        size="small"
        pagination={false}
        rowKey={(s) => s.clusterId ?? 0}
        dataSource={five}
        columns={[
          {
            title: w.cluster,
            render: (_, s) => <ClusterLink of={{ id: s.clusterId, name: s.clusterName, engine: engine(s) }} />,
          },
          { title: w.tenants, dataIndex: 'tenantCount' },
          { title: w.cpu, render: (_, s) => <Usage label={w.cpu} used={s.cpuAssigned} total={s.cpuTotal} cores /> },
          {
            title: w.memory,
            render: (_, s) => <Usage label={w.memory} used={s.memoryAssignedByte} total={s.memoryTotalByte} />,
          },
          {
            title: w.dataDisk,
            render: (_, s) => (
              <Usage label={w.dataDisk} used={s.dataDiskUsedByte} total={s.dataDiskTotalByte} runsOut />
            ),
          },
        ]}
      />
    </Card>
  );
}

export default function Overview() {
  const w = useWords(words);
  const clusters = useGet(PATH, { query: { page: 1, size: MOST } }, { everyMs: EVERY_MS });
  const stats = useGet(STATS, {}, { everyMs: EVERY_MS });
  const may = useMay();
  const list = clusters.data?.contents;
  const all = stats.data?.contents ?? [];
  const error = clusters.error ?? stats.error;
  const retry = () => void Promise.all([clusters.refetch(), stats.refetch()]);
  return (
    <>
      <PageHead
        title={w.overview}
        tags={
          <StaleTag stale={clusters.stale || stats.stale} at={Math.min(clusters.dataUpdatedAt, stats.dataUpdatedAt)} />
        }
      />
      {error === null ? null : (
        <div style={{ marginBottom: 16 }}>
          <ErrorView error={error} onRetry={retry} />
        </div>
      )}
      {list === undefined && error === null ? <Loading /> : null}
      {list?.length === 0 ? (
        <Empty text={w.none}>{may('CLUSTER:*:CREATE') ? <Link to="/cluster/takeover">{w.takeOver}</Link> : null}</Empty>
      ) : null}
      {list === undefined || list.length === 0 ? null : (
        <>
          <Counts clusters={list} />
          <Worries clusters={list} />
          <Card size="small" title={w.all} style={{ marginBottom: 16 }}>
            <UsageBars of={together(all)} />
          </Card>
          <Fullest stats={all} clusters={list} />
        </>
      )}
    </>
  );
}
