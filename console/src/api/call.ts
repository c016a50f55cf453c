// SPDX-License-Identifier: Apache-2.0
// The one place that speaks to the server.
import { language } from '../words';
import type { Data, Input, Method, PathOf } from './types';

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer
    readonly code: number,
    message: string,
    readonly traceId: string,
  ) {
    super(message);
  }
}

const UNREACHABLE = {
  en: 'The server does not answer. Check the network, then try again.',
  zh: '服务器无响应，请检查网络后重试。',
};

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

function headers(method: string, type: string | undefined): Record<string, string> {
  const token = method === 'get' ? undefined : cookie('XSRF-TOKEN');
  return {
    'Accept-Language': language(),
    'X-Requested-With': 'console', // no dialog of the browser at 401
    ...(type === undefined ? {} : { 'Content-Type': type }),
    ...(token === undefined ? {} : { 'X-XSRF-TOKEN': decodeURIComponent(token) }),
  };
}

interface Envelope {
  data?: unknown;
  successful?: boolean;
  traceId?: string;
  error?: { code: number; message: string };
}

interface Content {
  body?: unknown;
  form?: Record<string, string>;
  parts?: FormData;
}

function encode({ body, form, parts }: Content): [type?: string, content?: string | FormData] {
  if (parts !== undefined) return [undefined, parts]; // the browser names the type, because it chooses the boundary
  if (form !== undefined) return ['application/x-www-form-urlencoded', new URLSearchParams(form).toString()];
  return body === undefined ? [] : ['application/json', JSON.stringify(body)];
}

const isFile = (reply: Response) => reply.headers.get('Content-Type') === 'application/octet-stream';

/** Sends and reads; form is sent as a form, parts as multipart/form-data, body as JSON. A file comes back as a Blob. */
export async function send(method: string, url: string, content: Content = {}): Promise<unknown> {
  const [type, sent] = encode(content);
  // eslint-disable-next-line no-restricted-globals -- here it is allowed
  const reply = await fetch(url, { method: method.toUpperCase(), headers: headers(method, type), body: sent }).catch(
    () => {
      throw new ApiError(0, 0, UNREACHABLE[language()], '');
    },
  );
  if (reply.ok && isFile(reply)) return reply.blob();
  const answer = (await reply.json().catch(() => ({}))) as Envelope;
  if (reply.ok) return answer.successful === undefined ? answer : answer.data;
  throw new ApiError(
    reply.status,
    answer.error?.code ?? 0,
    answer.error?.message ?? `HTTP ${reply.status}`,
    answer.traceId ?? '',
  );
}

/** One operation of the API: call('delete', '/api/v2/iam/users/{id}', { path: { id } }). */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  input: Input<M, P>,
): Promise<Data<M, P>> {
  const {
    path: params,
    query,
    ...content
  } = input as { path?: Record<string, Value>; query?: Record<string, Value> } & Pick<Content, 'body' | 'parts'>;
  return (await send(method, fillPath(path, params) + queryString(query), content)) as Data<M, P>;
}
