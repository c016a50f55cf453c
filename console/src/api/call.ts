// SPDX-License-Identifier: Apache-2.0
// The one place that speaks to the server.
import { language, type Pair, say } from '../words';
import { ApiError } from './error';
import { reach } from './reach';
import { newKey, pause, repeats, retryAfter, wait } from './repeat';
import type { Data, Input, Method, PathOf } from './types';

export { ApiError } from './error';

const UNREACHABLE: Pair = [
  'The server does not answer. Check the network, then try again.',
  '服务器无响应，请检查网络后重试。',
];
const UNSETTLED: Pair = [
  'The answer to this was lost: it may have been done or not. Look before you repeat it.',
  '未收到应答，操作可能已生效，也可能未生效。请先确认结果，再决定是否重试。',
];
/** A server gives up after 30 s; what takes longer was lost on the way. */
const ATTEMPT_MS = 35000,
  SLOW_MS = 305000; // what it is said to take longer for, as to look at hosts

type Value = string | number | boolean | null | undefined;

export function fillPath(path: string, params: Record<string, Value> = {}) {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

export function queryString(query: Record<string, Value | readonly Value[]> = {}) {
  const pairs = Object.entries(query).filter(
    ([, v]) => v !== undefined && v !== null && v !== '' && !(Array.isArray(v) && v.length === 0),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString()}`;
}

const cookie = (name: string) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1];

/** Of every request. */
export function headers(method: string, type: string | undefined, key: string | undefined): Record<string, string> {
  const token = method === 'get' ? undefined : cookie('XSRF-TOKEN');
  return {
    'Accept-Language': language(),
    'X-Requested-With': 'console', // no dialog of the browser at 401
    ...(type === undefined ? {} : { 'Content-Type': type }),
    ...(token === undefined ? {} : { 'X-XSRF-TOKEN': decodeURIComponent(token) }),
    ...(key === undefined ? {} : { 'Idempotency-Key': key }),
  };
}

interface Envelope {
  data?: unknown;
  successful?: boolean;
  /** From the server's memory, because its MetaDB is away; the header Age says how old. */
  stale?: boolean;
  traceId?: string;
  error?: { code: number; message: string };
}

interface Content {
  body?: unknown;
  parts?: FormData;
}

function encode({ body, parts }: Content): [type?: string, content?: string | FormData] {
  if (parts !== undefined) return [undefined, parts]; // the browser names the type, because it chooses the boundary
  return body === undefined ? [] : ['application/json', JSON.stringify(body)];
}

const isFile = (reply: Response) => reply.headers.get('Content-Type') === 'application/octet-stream';

interface Request extends Content {
  key?: string;
  signal?: AbortSignal;
  slow?: boolean;
}

async function fetched(method: string, url: string, { key, signal, slow = false, ...content }: Request) {
  const [type, body] = encode(content);
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = setTimeout(end, slow ? SLOW_MS : ATTEMPT_MS);
  signal?.addEventListener('abort', end);
  const request = { method: method.toUpperCase(), headers: headers(method, type, key), body, signal: ending.signal };
  try {
    // eslint-disable-next-line no-restricted-globals -- here it is allowed
    const reply = await fetch(url, request);
    return { reply, content: isFile(reply) && reply.ok ? await reply.blob() : await reply.text() };
  } catch (e) {
    if (signal?.aborted === true) throw e;
    throw nobody();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

/* Undefined: nothing that our server says. */
function parse(text: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What came, and how old it is when it comes from the server's memory. */
export interface Answer<T> {
  data: T;
  ageMs?: number;
}

/** What a reply says; throws an ApiError when it is one. */
export function outcome(status: number, text: string, header: (name: string) => string | null): Answer<unknown> {
  const answer = parse(text);
  if (status >= 200 && status < 300) {
    const ageMs = answer?.stale === true ? Number(header('Age')) * 1000 : undefined;
    return { data: answer?.successful === undefined ? answer : answer.data, ageMs };
  }
  const { code = answer === undefined ? 0 : status, message = `HTTP ${status}` } = answer?.error ?? {};
  const error = new ApiError(status, code, message, answer?.traceId ?? '', retryAfter(header('Retry-After')));
  if (error.isAway) error.message = say(UNREACHABLE);
  throw error;
}

/** Nobody answers. */
export const nobody = () => new ApiError(0, 0, say(UNREACHABLE), '');

/** One attempt; parts are sent as multipart/form-data, body as JSON. A file comes back as a Blob. */
async function attempt(method: string, url: string, request: Request): Promise<Answer<unknown>> {
  const { reply, content } = await fetched(method, url, request);
  if (content instanceof Blob) return { data: content };
  return outcome(reply.status, content, (name) => reply.headers.get(name));
}

function note<T>(attempted: Promise<T>) {
  return attempted.then(
    (got) => {
      reach.answered();
      return got;
    },
    (error: unknown) => {
      if (error instanceof ApiError) (error.isAway ? reach.missed : reach.answered)();
      throw error;
    },
  );
}

/** Does the server answer? Asked once, and noted. */
export const ask = () => note(attempt('get', '/livez', {}));

/* Of a change, when `lost` says that some answer was: it may have been done. */
function last(error: ApiError, method: string, lost: boolean) {
  if (method === 'get' || !(error.isKeyBusy || error.isKeyLost || (lost && (error.isAway || error.isBusy))))
    return error;
  const told = new ApiError(error.status, error.code, say(UNSETTLED), error.traceId);
  told.unsettled = true;
  return told;
}

/** Sends and reads, again and again while that may help and does no harm. `path` is the address as the server's document writes it. */
async function send(method: string, path: string, url: string, { key, ...request }: Request): Promise<Answer<unknown>> {
  const how = repeats(method, path);
  const sent = how === 'keyed' ? { ...request, key: key ?? newKey() } : request;
  const began = performance.now();
  for (let n = 0, lost = false; ; n++) {
    try {
      return await note(attempt(method, url, sent));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      lost ||= error.isAway;
      const ms = how === 'never' ? undefined : pause(error, n, performance.now() - began);
      if (ms === undefined) throw last(error, method, lost && how !== 'always');
      await wait(ms, request.signal);
    }
  }
}

/** How a call is made: `key` of a change that was sent before; `signal` ends it; `slow`: the server may take minutes. */
export interface How {
  slow?: boolean;
  key?: string;
  signal?: AbortSignal;
}

/** One operation of the API, and how old its answer is. */
export async function answerOf<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  input: Input<M, P>,
  how: How = {},
): Promise<Answer<Data<M, P>>> {
  const {
    path: params,
    query,
    ...content
  } = input as { path?: Record<string, Value>; query?: Record<string, Value> } & Content;
  const url = fillPath(path, params) + queryString(query);
  return (await send(method, path, url, { ...content, ...how })) as Answer<Data<M, P>>;
}

/** One operation of the API: call('delete', '/api/v2/iam/users/{id}', { path: { id } }). */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  input: Input<M, P>,
  how: How = {},
): Promise<Data<M, P>> {
  return (await answerOf(method, path, input, how)).data;
}
