// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';

import { draw, type Drawing, type GraphStep, layersOf, type Placed } from './layout';

/** Rows of steps: each waits for the whole row before it. */
function rows(...sizes: number[]): GraphStep[] {
  let id = 0;
  let before: number[] = [];
  return sizes.flatMap((n) => {
    const row = Array.from({ length: n }, () => ({ id: ++id, upstreams: before }));
    before = row.map((s) => s.id);
    return row;
  });
}

const overlaps = (a: Placed, b: Placed) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

function sound(d: Drawing, steps: GraphStep[]) {
  expect(d.steps.map((s) => s.id).sort((a, b) => a - b)).toEqual(steps.map((s) => s.id).sort((a, b) => a - b));
  for (const a of d.steps) {
    expect(a.x >= 0 && a.y >= 0 && a.x + a.width <= d.width && a.y + a.height <= d.height).toBe(true);
    for (const b of d.steps) if (a.id < b.id) expect(overlaps(a, b)).toBe(false);
  }
  const at = new Map(d.steps.map((s) => [s.id, s]));
  for (const s of steps)
    for (const up of s.upstreams) expect((at.get(up) as Placed).y).toBeLessThan((at.get(s.id) as Placed).y);
}

describe('the graph of a task', () => {
  test('nothing', () => expect(draw([])).toMatchObject({ steps: [], lines: [], frames: [] }));

  test('one after the other', () => {
    const steps = rows(1, 1, 1);
    const d = draw(steps);
    sound(d, steps);
    expect(d.lines.map((l) => l.from)).toEqual([[1], [2]]);
    expect(new Set(d.steps.map((s) => s.x)).size).toBe(1);
  });

  test('side by side, then one', () => {
    const steps = rows(3, 3, 1);
    const d = draw(steps);
    sound(d, steps);
    expect(d.frames).toEqual([]);
    expect(d.lines.length).toBe(3 + 3 + 3); // through a point in between, and three to one
  });

  test('each behind its own', () => {
    const steps = [...rows(1, 3), ...[2, 3, 4].map((id) => ({ id: id + 3, upstreams: [id] }))];
    const d = draw(steps);
    sound(d, steps);
    for (const id of [2, 3, 4])
      expect(d.steps.find((s) => s.id === id)?.x).toBe(d.steps.find((s) => s.id === id + 3)?.x);
  });

  test('sixty that are alike stand in a frame, which is no wider than four', () => {
    const steps = rows(1, 60, 1);
    const d = draw(steps);
    sound(d, steps);
    expect(d.frames.length).toBe(1);
    expect(d.lines.length).toBe(2);
    expect(d.width).toBeLessThan(1000);
  });

  test('sixty that go on alone stand in one row', () => {
    const steps = [...rows(60), ...Array.from({ length: 60 }, (_, i) => ({ id: i + 61, upstreams: [i + 1] }))];
    const d = draw(steps);
    sound(d, steps);
    expect(d.frames).toEqual([]);
    expect(d.lines.length).toBe(60);
  });

  test('a step stands below the last of those it waits for', () => {
    const steps = [...rows(1, 1, 1), { id: 4, upstreams: [1, 3] }, { id: 5, upstreams: [99] }];
    expect(layersOf(steps)).toEqual([[1, 5], [2], [3], [4]]);
    sound(draw(steps.slice(0, 4)), steps.slice(0, 4));
  });
});
