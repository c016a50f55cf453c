// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';

import { ApiError } from './error';
import { AWAY_MS, BUSY_MS, newKey, pause, repeats, retryAfter } from './repeat';

const gone = new ApiError(0, 0, '', '');
const page502 = new ApiError(502, 0, '', '');
const busy = (afterMs = 0) => new ApiError(503, 90201, '', '', afterMs);
const most = () => 1;
const least = () => 0;

test('an answer that is missing is waited for in growing pauses, up to a limit', () => {
  expect([0, 1, 2, 3, 4, 9].map((n) => pause(gone, n, 0, least))).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(pause(page502, 0, AWAY_MS - 150, most)).toBe(150);
  expect(pause(page502, 0, AWAY_MS - 149, most)).toBeUndefined();
});

test('a server that cannot now says when it is to be asked again', () => {
  expect(pause(busy(1000), 0, 0, least)).toBe(1000);
  expect(pause(busy(1000), 0, 0, most)).toBe(1500);
  expect(pause(busy(1000), 0, BUSY_MS - 999, least)).toBeUndefined();
  expect(pause(busy(60000), 0, 0, least)).toBeUndefined();
});

test.each([400, 401, 403, 404, 409, 429, 500])('an answer with status %i is an answer', (status) => {
  expect(pause(new ApiError(status, 1, '', ''), 0, 0)).toBeUndefined();
});

test('the first request with the same key may still be under way', () => {
  expect(pause(new ApiError(409, 90103, '', ''), 0, 0, least)).toBe(100);
});

test.each([
  [null, 0],
  ['2', 2000],
  ['Thu, 01 Jan 1970 00:00:05 GMT', 4000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', 0],
])('Retry-After: %s', (header, ms) => {
  expect(retryAfter(header, 1000)).toBe(ms);
});

test('what may be repeated', () => {
  expect(repeats('get', '/api/v2/info')).toBe('always');
  expect(repeats('post', '/api/v2/compute/regions')).toBe('keyed');
  expect(repeats('post', '/api/v2/iam/login')).toBe('always');
  expect(repeats('post', '/api/v2/profiles/me/accessKeys')).toBe('never');
});

test('a key is one that the server takes, and never the same', () => {
  expect(newKey()).toMatch(/^console-[0-9a-f]{32}$/);
  expect(newKey()).not.toBe(newKey());
});
