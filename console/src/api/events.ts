// SPDX-License-Identifier: Apache-2.0
// Server-sent events, read by fetch: EventSource can neither say its language nor keep the browser's login dialog away.
import { language } from '../words';
import { wait } from './repeat';

export interface ServerEvent {
  name: string;
  data: unknown;
}

const AGAIN_MS = 1000,
  SILENT_MS = 40000; // the server says that it is alive each 15 s

/** The events in what has come, and what is not whole yet. */
export function eventsOf(text: string): [events: ServerEvent[], rest: string] {
  const blocks = text.split('\n\n');
  const rest = blocks.pop() ?? '';
  const events = blocks.flatMap((block) => {
    const fields = block
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]);
    const of = (name: string) => fields.filter(([n]) => n === name).map(([, v]) => v?.replace(/^ /, '') ?? '');
    const data = of('data').join('\n');
    return data === '' ? [] : [{ name: of('event')[0] ?? 'message', data: JSON.parse(data) as unknown }];
  });
  return [events, rest];
}

/* One connection; `heard` runs whenever something comes. True: there is no more to come. */
async function once(url: string, on: (event: ServerEvent) => boolean, heard: () => void, signal: AbortSignal) {
  const headers = { Accept: 'text/event-stream', 'Accept-Language': language(), 'X-Requested-With': 'console' };
  heard();
  // eslint-disable-next-line no-restricted-globals -- a stream is not a call
  const reply = await fetch(url, { headers, signal });
  if (!reply.ok || reply.body === null) return reply.status >= 400 && reply.status < 500;
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    heard();
    const { done, value } = await reader.read();
    if (done) return false;
    const [events, rest] = eventsOf(text + value);
    text = rest;
    for (const event of events) if (on(event)) return true;
  }
}

/** Reads the events of an address until `on` says that one was the last, `signal` ends it, or the server refuses; begins again, at any
    node, when it breaks or falls silent. `on` hears of that as an event "lost". */
export async function follow(url: string, on: (event: ServerEvent) => boolean, signal: AbortSignal) {
  while (!signal.aborted) {
    const ended = new AbortController();
    const end = () => ended.abort();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(end, SILENT_MS);
    };
    signal.addEventListener('abort', end);
    try {
      if (await once(url, on, heard, ended.signal)) return;
    } catch {
      // lost on the way: again below
    } finally {
      signal.removeEventListener('abort', end);
      clearTimeout(silence);
      end();
    }
    on({ name: 'lost', data: undefined });
    await wait(AGAIN_MS, signal).catch(() => undefined);
  }
}
