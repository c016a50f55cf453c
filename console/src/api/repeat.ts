// SPDX-License-Identifier: Apache-2.0
// Behind a load balancer a node may die with requests in its hands: they are sent again, to whoever answers then. Reading may be
// repeated always; a change only under a key by which the server knows it again (Idempotency-Key).
import { ApiError } from './error';
import type { Unkeyed } from './types';

/** How long an answer is tried for: of nobody, as a load balancer needs to notice; of a server that says that it cannot now. */
export const AWAY_MS = 8000,
  BUSY_MS = 3000;
const FIRST_MS = 100,
  LONGEST_MS = 1000;

/** How long to wait before the next attempt; undefined: that was the last one. */
export function pause(error: ApiError, attempt: number, elapsedMs: number, random = Math.random) {
  const patience = error.isAway ? AWAY_MS : error.isBusy || error.isKeyBusy ? BUSY_MS : 0;
  const least = Math.max(error.retryAfterMs, Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt));
  const wait = least * (1 + random() / 2); // not all pages at once
  return elapsedMs + wait > patience ? undefined : wait;
}

/** "2" (seconds) or a date, as RFC 9110 10.2.3 has it, in milliseconds. */
export function retryAfter(header: string | null, now = Date.now()) {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return ms > 0 ? ms : 0;
}

/** Changes without a key: those that do no harm when done twice, and those that must not be repeated. The compiler knows all of them. */
const without: Record<Unkeyed, 'harmless' | 'once'> = {
  'delete /services': 'once', // observers and deployers ask there, the console never
  'post /api/v2/iam/login': 'harmless',
  'post /api/v2/ocp/nodes': 'once', // so does this
  'post /api/v2/profiles/me/accessKeys': 'once', // shows a secret
  'post /api/v2/profiles/me/credentials/export': 'harmless',
  'post /services': 'once',
};

/** May it be sent again when its answer is lost: always, under a key, or never? `path` as the server's document writes it. */
export function repeats(method: string, path: string): 'always' | 'keyed' | 'never' {
  if (method === 'get') return 'always';
  const how = (without as Record<string, string | undefined>)[`${method} ${path}`];
  return how === undefined ? 'keyed' : how === 'harmless' ? 'always' : 'never';
}

/** 128 random bits; crypto.randomUUID() is not there over plain HTTP. */
export const newKey = () =>
  `console-${[...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('')}`;

export function wait(ms: number, signal?: AbortSignal) {
  return new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
