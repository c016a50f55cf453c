// SPDX-License-Identifier: Apache-2.0
import { PageHead } from '../parts/page-head';
import { useWords } from '../words';
import { TaskTable } from './tasks/task-table';
import { taskWords } from './tasks/words';

export default function Tasks() {
  const w = useWords(taskWords);
  return (
    <>
      <PageHead title={w.title} />
      <TaskTable />
    </>
  );
}
