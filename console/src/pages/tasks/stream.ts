// SPDX-License-Identifier: Apache-2.0
// A task while it runs, as the server tells it: its state goes where useGet() reads it, the lines of its steps' logs are kept here.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { fillPath } from '../../api/call';
import { follow, type ServerEvent } from '../../api/events';
import { useLanguage } from '../../words';
import { TASK, type Task } from './model';

interface LogLine {
  subtaskId: number;
  seq: number;
  time: string;
  text: string;
}

const FLUSH_MS = 100,
  MOST_LINES = 5000; // of one step

/** Of all steps; a stream that begins again brings lines that are there already. */
export class Lines {
  private readonly kept = new Map<number, LogLine[]>();

  add(line: LogLine) {
    const lines = this.kept.get(line.subtaskId) ?? [];
    const last = lines.at(-1);
    if (last !== undefined && line.seq <= last.seq) return;
    lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
    this.kept.set(line.subtaskId, lines);
  }

  text(step: number) {
    return this.kept
      .get(step)
      ?.map((l) => `${l.time} ${l.text}\n`)
      .join('');
  }
}

/** `live`: the server tells what happens, nobody needs to ask. `lines` are those that came so far. */
export function useTaskStream(id: number, running: boolean) {
  const client = useQueryClient();
  const { language } = useLanguage();
  const [lines] = useState(() => new Lines());
  const [live, setLive] = useState(false);
  const [, setRound] = useState(0);
  useEffect(() => {
    if (!running) return undefined;
    const ending = new AbortController();
    let timer: number | undefined;
    const draw = () => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        setRound((n) => n + 1);
      }, FLUSH_MS);
    };
    const on = ({ name, data }: ServerEvent) => {
      if (ending.signal.aborted) return true;
      setLive(name !== 'lost' && name !== 'end');
      if (name === 'task')
        client.setQueryData([TASK, { path: { taskInstanceId: id } }, language], { data: data as Task });
      if (name === 'log') {
        lines.add(data as LogLine);
        draw();
      }
      return name === 'end';
    };
    void follow(fillPath('/api/v2/tasks/instances/{id}/events', { id }), on, ending.signal);
    return () => {
      ending.abort();
      window.clearTimeout(timer);
      setLive(false);
    };
  }, [client, id, language, lines, running]);
  return { live, lines };
}
