// SPDX-License-Identifier: Apache-2.0
import { Button, Drawer } from 'antd';
import { Link, useSearchParams } from 'react-router-dom';

import { useGet } from '../api/hooks';
import type { Row } from '../api/types';
import { DetailCard } from '../parts/detail-card';
import { ErrorView } from '../parts/error-view';
import { Loading } from '../parts/loading';
import { PageHead } from '../parts/page-head';
import { type Column, ServerTable } from '../parts/server-table';
import { StatusTag } from '../parts/status-tag';
import { Time } from '../parts/time';
import { useWords } from '../words';
import { common } from '../words.common';

const words = {
  ...common,
  title: ['Audit', '操作审计'],
  what: ['Operation', '操作'],
  type: ['Type', '类型'],
  object: ['Object', '操作对象'],
  who: ['By', '操作人'],
  from: ['From', '来源地址'],
  when: ['When', '时间'],
  ended: ['Ended', '结束时间'],
  how: ['How it was sent', '请求内容'],
  details: ['Details', '详情'],
  task: ['Task', '任务'],
  node: ['Node', '节点'],
  code: ['Error', '错误码'],
  objectFilter: ['Name of the object', '对象名称'],
  infoFilter: ['In the details', '详情内容'],
  succeeded: ['Successful', '成功'],
  failed: ['Failed', '失败'],
} as const;

const PATH = '/api/v2/audit/events';
type Event = Row<typeof PATH>;

/** Indented where it is JSON. */
function pretty(text: string | undefined) {
  try {
    return JSON.stringify(JSON.parse(text ?? ''), null, 2);
  } catch {
    return text ?? '';
  }
}

function EventDetail({ id }: { id: number }) {
  const w = useWords(words);
  const event = useGet('/api/v2/audit/events/{id}', { path: { id } });
  const e = event.data;
  if (e === undefined)
    return event.error === null ? <Loading /> : <ErrorView error={event.error} onRetry={() => void event.refetch()} />;
  return (
    <>
      <DetailCard
        details={[
          { label: w.what, value: e.operationEvent },
          { label: w.type, value: e.eventType },
          { label: w.object, value: [e.resourceType, e.parentResource, e.resourceName].filter(Boolean).join(' / ') },
          { label: w.status, value: <StatusTag status={e.status} /> },
          { label: w.who, value: e.operatorName },
          { label: w.from, value: e.clientIp },
          { label: w.when, value: <Time at={e.startTime} /> },
          { label: w.ended, value: <Time at={e.endTime} /> },
          { label: w.node, value: e.node },
          { label: w.trace, value: e.traceId },
          { label: w.code, value: e.errorCode },
          {
            label: w.task,
            value: e.taskId === undefined ? undefined : <Link to={`/task/${e.taskId}`}>{e.taskId}</Link>,
          },
        ]}
      />
      <h2 style={{ fontSize: 14 }}>{w.how}</h2>
      <pre tabIndex={0}>{pretty(e.eventInfo)}</pre>
    </>
  );
}

export default function Audit() {
  const w = useWords(words);
  const [params, setParams] = useSearchParams();
  const shown = Number(params.get('event')) || undefined;
  const show = (id: number | undefined) =>
    setParams((old) => {
      if (id === undefined) old.delete('event');
      else old.set('event', String(id));
      return old;
    });
  const columns: Column<Event>[] = [
    { title: w.when, dataIndex: 'startTime', sort: true, render: (e) => <Time at={e.startTime} /> },
    { title: w.what, dataIndex: 'operationEvent' },
    { title: w.object, render: (e) => e.resourceName ?? '-' },
    { title: w.who, dataIndex: 'operatorName', sort: true },
    { title: w.from, dataIndex: 'clientIp' },
    { title: w.status, dataIndex: 'status', sort: true, render: (e) => <StatusTag status={e.status} /> },
    {
      title: w.actions,
      render: (e) => (
        <Button type="link" size="small" onClick={() => show(e.id)}>
          {w.details}
        </Button>
      ),
    },
  ];
  const filters = [
    { name: 'resourceName', label: w.objectFilter },
    { name: 'eventInfo', label: w.infoFilter },
    {
      name: 'status',
      label: w.status,
      options: [
        { value: 'SUCCESS', label: w.succeeded },
        { value: 'FAILED', label: w.failed },
      ],
    },
  ];
  return (
    <>
      <PageHead title={w.title} />
      <ServerTable path={PATH} columns={columns} rowKey="id" label={w.title} filters={filters} />
      <Drawer open={shown !== undefined} title={w.details} size={720} onClose={() => show(undefined)}>
        {shown === undefined ? null : <EventDetail id={shown} />}
      </Drawer>
    </>
  );
}
