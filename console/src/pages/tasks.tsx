// SPDX-License-Identifier: Apache-2.0
import { ObjectTabs } from '../parts/object-tabs';
import { PageHead } from '../parts/page-head';
import { useWords } from '../words';
import { Locks } from './tasks/locks';
import { Schedules } from './tasks/schedules';
import { TaskTable } from './tasks/task-table';
import { taskWords } from './tasks/words';

const words = { ...taskWords, schedules: ['Schedules', '定时任务'] } as const;

export default function Tasks() {
  const w = useWords(words);
  const tabs = [
    { key: '', label: w.title, children: () => <TaskTable /> },
    { key: 'lock', label: w.locks, children: () => <Locks /> },
    { key: 'schedule', label: w.schedules, children: () => <Schedules /> },
  ];
  return (
    <>
      <PageHead title={w.title} />
      <ObjectTabs base="/task" tabs={tabs} label={w.title} />
    </>
  );
}
