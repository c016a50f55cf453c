// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';

import { bytes, rounded, share } from './size';

test('sizes are written in the largest unit that fits', () => {
  expect(bytes(0)).toBe('0 B');
  expect(bytes(1023)).toBe('1023 B');
  expect(bytes(1536)).toBe('1.5 KB');
  expect(bytes(5 * 2 ** 30)).toBe('5 GB');
  expect(bytes(3 * 2 ** 60)).toBe('3072 PB');
  expect(bytes(undefined)).toBe('-');
});

test('shares stay between 0 and 100, and are not made up', () => {
  expect(share(1, 3)).toBe(33.3);
  expect(share(5, 4)).toBe(100);
  expect(share(1, 0)).toBeUndefined();
  expect(share(undefined, 4)).toBeUndefined();
  expect(rounded(2.25)).toBe('2.3');
});
