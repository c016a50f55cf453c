// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';

import { allows } from './permission';

test.each([
  [['HOST:*:READ'], 'HOST:*:READ', true],
  [['HOST:*:*'], 'HOST:7:DELETE', true],
  [['HOST:*:UPDATE'], 'HOST:*:READ', false],
  [['HOST:READ'], 'HOST:3:READ', true],
  [['CLUSTER:7:UPDATE'], 'CLUSTER:7:UPDATE', true],
  [['CLUSTER:7:UPDATE'], 'CLUSTER:8:UPDATE', false],
  [['CLUSTER:7:READ'], 'CLUSTER:*:READ', true],
  [['CLUSTER:7:*'], 'CLUSTER:7:TENANT:1:READ', false],
  [['CLUSTER:*:TENANT:*:READ'], 'CLUSTER:7:TENANT:1:READ', true],
  [['TENANT:9:READ'], 'CLUSTER:7:TENANT:9:READ', true],
  [['TENANT:9:READ'], 'CLUSTER:7:TENANT:8:READ', false],
  [['*'], 'USER:*:CREATE', true],
  [['*'], 'CLUSTER:7:TENANT:1:READ', false],
  [['**'], 'CLUSTER:7:TENANT:1:READ', true],
  [['**'], '**', true],
  [['*', 'HOST:*:*'], '**', false],
  [['CLUSTER:7:TENANT:1:READ'], 'CLUSTER:*:READ|CLUSTER:*:TENANT:*:READ', true],
  [['HOST:*:READ'], 'CLUSTER:*:READ|CLUSTER:*:TENANT:*:READ', false],
  [[], 'HOST:*:READ', false],
])('%j and %s: %s', (granted, wanted, expected) => {
  expect(allows(granted, wanted)).toBe(expected);
});
