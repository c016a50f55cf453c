// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => 'en' });
vi.stubGlobal('document', { cookie: 'XSRF-TOKEN=token', documentElement: {} });
const { answerOf, call } = await import('./call');

type Reply = 'lost' | [status: number, body: unknown, headers?: Record<string, string>];
const done: Reply = [200, { successful: true, data: { id: 7 } }];
const refused: Reply = [400, { error: { code: 1, message: 'no' }, traceId: 't' }];
const later: Reply = [503, { error: { code: 90201, message: 'MetaDB is away' } }, { 'Retry-After': '1' }];
const keyBusy: Reply = [409, { error: { code: 90103, message: 'busy' } }];
const balancer: Reply = [502, '<html>'];

let sent: RequestInit[];

/** The server of a test; its last answer is given for ever. */
function answers(...list: Reply[]) {
  sent = [];
  vi.stubGlobal('fetch', (_: string, request: RequestInit) => {
    const answer = list[Math.min(sent.push(request), list.length) - 1] ?? 'lost';
    if (answer === 'lost') return Promise.reject(new TypeError('network'));
    const [status, body, headers] = answer;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve(new Response(text, { status, headers }));
  });
}

const key = (request: RequestInit | undefined) =>
  (request?.headers as Record<string, string> | undefined)?.['Idempotency-Key'];
const read = () => call('get', '/api/v2/info', {});
const change = (how = {}) => call('post', '/api/v2/compute/regions', { body: { name: 'north' } }, how);
const secret = () => call('post', '/api/v2/profiles/me/accessKeys', { body: {} });

async function outcome(made: Promise<unknown>) {
  const ended = made.then(
    (got) => ({ got }),
    (error: unknown) => ({ error }),
  );
  await vi.runAllTimersAsync();
  return (await ended) as { got?: unknown; error?: { message: string; unsettled: boolean; status: number } };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('reading goes on over lost connections and pages of a load balancer', async () => {
  answers('lost', balancer, later, done);
  expect(await outcome(read())).toEqual({ got: { id: 7 } });
  expect(sent.map(key)).toEqual([undefined, undefined, undefined, undefined]);
});

test('reading ends with the last error, in time', async () => {
  answers('lost');
  const began = performance.now();
  const { error } = await outcome(read());
  expect(error).toMatchObject({ status: 0, unsettled: false });
  expect(performance.now() - began).toBeLessThanOrEqual(8000);
  expect(sent.length).toBeGreaterThan(6);
});

test('a change is repeated under one key', async () => {
  answers('lost', balancer, keyBusy, done);
  expect(await outcome(change())).toEqual({ got: { id: 7 } });
  expect(new Set(sent.map(key)).size).toBe(1);
  expect(key(sent[0])).toMatch(/^console-/);
});

test('a change under a key that was sent before keeps it', async () => {
  answers(done);
  await outcome(change({ key: 'console-former' }));
  expect(key(sent[0])).toBe('console-former');
});

test.each<[Reply, boolean]>([
  ['lost', true],
  [balancer, true],
  [keyBusy, true],
  [later, false],
  [refused, false],
])('a change that ends with %j: outcome unknown %j', async (answer, unknown) => {
  answers(answer);
  const { error } = await outcome(change());
  expect(error?.unsettled).toBe(unknown);
  expect(error?.message.includes('Look before you repeat it')).toBe(unknown);
});

test('a refusal after a lost answer is the outcome', async () => {
  answers('lost', refused);
  expect((await outcome(change())).error).toMatchObject({ status: 400, message: 'no', unsettled: false });
});

test('what shows a secret is sent once, without a key', async () => {
  answers('lost', done);
  expect((await outcome(secret())).error).toMatchObject({ unsettled: true });
  expect(sent.map(key)).toEqual([undefined]);
});

test('what the server gives from memory says how old it is', async () => {
  answers([200, { successful: true, stale: true, data: { id: 7 } }, { Age: '12' }]);
  expect(await outcome(answerOf('get', '/api/v2/info', {}))).toEqual({ got: { data: { id: 7 }, ageMs: 12000 } });
});

test('whoever leaves a page waits for nothing', async () => {
  answers('lost');
  const leave = new AbortController();
  const ended = outcome(call('get', '/api/v2/info', {}, { signal: leave.signal }));
  leave.abort();
  expect((await ended).error).toBeDefined();
  expect(sent.length).toBeLessThanOrEqual(1);
});
