// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => 'en' });
vi.stubGlobal('document', { cookie: '', documentElement: {} });
const { eventsOf, follow } = await import('./events');

afterEach(() => vi.useRealTimers());

test('events are read as they come, comments are not events', () => {
  expect(eventsOf(': alive\n\nevent: log\ndata: {"seq":1}\n\nevent: lo')).toEqual([
    [{ name: 'log', data: { seq: 1 } }],
    'event: lo',
  ]);
});

test('it begins again when a stream breaks, and ends at the last event', async () => {
  vi.useFakeTimers();
  const streams = [
    'event: task\ndata: {"id":1}\n\nevent: ta', // broken off
    undefined, // nobody answers
    'event: task\ndata: {"id":2}\n\nevent: end\ndata: {}\n\nevent: task\ndata: {"id":3}\n\n',
  ];
  vi.stubGlobal('fetch', () => {
    const text = streams.shift();
    return text === undefined ? Promise.reject(new TypeError('network')) : Promise.resolve(new Response(text));
  });
  const seen: string[] = [];
  const done = follow(
    '/events',
    ({ name, data }) => {
      seen.push(`${name} ${JSON.stringify(data) ?? ''}`);
      return name === 'end';
    },
    new AbortController().signal,
  );
  await vi.runAllTimersAsync();
  await done;
  expect(seen).toEqual(['task {"id":1}', 'lost ', 'lost ', 'task {"id":2}', 'end {}']);
});

test('a stream that falls silent is left, and begun again', async () => {
  vi.useFakeTimers();
  const asked: number[] = [];
  const end = new AbortController();
  vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
    asked.push(Date.now());
    const body = new ReadableStream({
      start(stream) {
        const alive = setTimeout(() => stream.enqueue(new TextEncoder().encode(': alive\n\n')), 30000);
        signal?.addEventListener('abort', () => {
          clearTimeout(alive);
          stream.error(signal.reason);
        });
      },
    });
    return Promise.resolve(new Response(body));
  });
  const seen: string[] = [];
  const done = follow('/events', ({ name }) => seen.push(name) === 0, end.signal);
  await vi.advanceTimersByTimeAsync(69000);
  expect(asked.length).toBe(1); // its node said that it is alive after 30 s
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked.length).toBe(2);
  expect(seen).toEqual(['lost']);
  end.abort();
  await vi.runAllTimersAsync();
  await done;
});

test('what is refused is not asked for again', async () => {
  let asked = 0;
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 404, statusText: String(++asked) })));
  await follow('/events', () => false, new AbortController().signal);
  expect(asked).toBe(1);
});
