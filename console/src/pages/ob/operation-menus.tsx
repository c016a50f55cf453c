// SPDX-License-Identifier: Apache-2.0
// Where the operations are chosen: at the head of a cluster's page, beside each of its zones and servers.
import { DownOutlined, EllipsisOutlined } from '@ant-design/icons';
import { Button, Dropdown, Space } from 'antd';

import type { Data } from '../../api/types';
import { useMay } from '../../session';
import { fill, say, useLanguage, useWords } from '../../words';
import { type Growth, growthLabels } from './growth';
import { type Operation, rowOf } from './operation-rows';
import { type Ask, useOperations } from './operations';
import { ob } from './words';

const words = { ...ob, more: ['More', '更多'], moreOf: ['More: {0}', '更多：{0}'] } as const;

type Choice = Operation | Growth['growth'];
const isGrowthChoice = (choice: Choice): choice is Growth['growth'] => choice in growthLabels;

function useItems() {
  const { language } = useLanguage();
  return (choices: Choice[]) =>
    choices.map((key) =>
      isGrowthChoice(key)
        ? { key, label: say(growthLabels[key], language) }
        : { key, label: say(rowOf(key).label, language), danger: rowOf(key).danger },
    );
}

/** A zone or a server: what names it, and what the operations need. */
export interface Part {
  cluster: number;
  name: string;
  status: string | undefined;
  idc: string | undefined;
  zone: string;
  /** None: the zone itself is meant. */
  server?: number;
}

const subjectOf = ({ name, zone, server }: Part, operation: Operation) =>
  server === undefined ? { operation, name, zone } : { operation, name, servers: [server] };

/* Stop or start, as the state allows. */
function StopOrStart({ of, ask }: { of: Part; ask: Ask }) {
  const { language } = useLanguage();
  const kind = of.server === undefined ? 'Zone' : 'Server';
  const operation: Operation | undefined =
    of.status === 'STOPPED' ? `start${kind}` : of.status === 'RUNNING' ? `stop${kind}` : undefined;
  if (operation === undefined) return null;
  const label = say(rowOf(operation).label, language);
  return (
    <Button type="link" size="small" aria-label={`${label} ${of.name}`} onClick={() => ask(subjectOf(of, operation))}>
      {label}
    </Button>
  );
}

const OF_ZONE: Choice[] = ['restartZone', 'addServers', 'deleteZone'],
  OF_SERVER: Choice[] = ['restartServer', 'replaceServer', 'deleteServers'];

/** What may be done with a zone or a server. */
export function PartActions({ of, ask }: { of: Part; ask: Ask }) {
  const w = useWords(words);
  const items = useItems();
  const may = useMay();
  if (!may(`CLUSTER:${of.cluster}:UPDATE`)) return null;
  const choose = (choice: Choice) =>
    ask(
      isGrowthChoice(choice)
        ? { growth: choice, name: of.name, idc: of.idc, zone: of.zone, server: of.server }
        : subjectOf(of, choice),
    );
  return (
    <Space size={0}>
      <StopOrStart of={of} ask={ask} />
      <Dropdown
        trigger={['click']}
        menu={{
          items: items(of.server === undefined ? OF_ZONE : OF_SERVER),
          onClick: ({ key }) => choose(key as Choice),
        }}
      >
        <Button
          type="text"
          size="small"
          aria-haspopup="menu"
          aria-label={fill(w.moreOf, of.name)}
          icon={<EllipsisOutlined aria-hidden />}
        />
      </Dropdown>
    </Space>
  );
}

/** The button that adds a zone. */
export function AddZone({ cluster, name, ask }: { cluster: number; name: string; ask: Ask }) {
  const { language } = useLanguage();
  const may = useMay();
  if (!may(`CLUSTER:${cluster}:UPDATE`)) return null;
  return <Button onClick={() => ask({ growth: 'addZone', name })}>{say(growthLabels.addZone, language)}</Button>;
}

/** The menu of what is done with the cluster as a whole. */
export function ClusterMenu({ of }: { of: Data<'get', '/api/v2/ob/clusters/{id}'> }) {
  const w = useWords(words);
  const items = useItems();
  const may = useMay();
  const id = of.id ?? 0;
  const { ask, dialog } = useOperations(id);
  const operations: Operation[] = ['startCluster', 'stopCluster', 'restartCluster', 'deleteCluster'];
  const allowed = operations.filter((o) => may(`CLUSTER:${id}:${o === 'deleteCluster' ? 'DELETE' : 'UPDATE'}`));
  if (allowed.length === 0) return null;
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: items(allowed),
          onClick: ({ key }) => ask({ operation: key as Operation, name: of.name ?? '' }),
        }}
      >
        <Button aria-haspopup="menu">
          {w.more} <DownOutlined aria-hidden />
        </Button>
      </Dropdown>
      {dialog}
    </>
  );
}
