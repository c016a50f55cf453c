// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';

import { toExpressions, toRows, withAction } from './permission-table';

test('expressions of one scope make one row', () => {
  expect(toRows(['HOST:*:READ', 'HOST:CREATE', 'CLUSTER:7:*', 'CLUSTER:7:TENANT:READ'])).toEqual([
    { scope: 'HOST:*', actions: ['READ', 'CREATE'] },
    { scope: 'CLUSTER:7', actions: ['READ', 'CREATE', 'UPDATE', 'DELETE'] },
    { scope: 'CLUSTER:7:TENANT:*', actions: ['READ'] },
  ]);
});

test('a full row is written short, an empty one not at all', () => {
  expect(
    toExpressions([
      { scope: 'HOST:*', actions: ['READ', 'CREATE', 'UPDATE', 'DELETE'] },
      { scope: 'TASK:*', actions: [] },
    ]),
  ).toEqual(['HOST:*:*']);
});

test('a box is ticked and cleared', () => {
  const ticked = withAction(['**', 'HOST:*:READ'], 'TASK:*', 'READ', true);
  expect(ticked).toEqual(['**', 'HOST:*:READ', 'TASK:*:READ']);
  expect(withAction(ticked, 'HOST:*', 'READ', false)).toEqual(['**', 'TASK:*:READ']);
  expect(withAction(['HOST:*:*'], 'HOST:*', 'DELETE', false)).toEqual([
    'HOST:*:READ',
    'HOST:*:CREATE',
    'HOST:*:UPDATE',
  ]);
});
