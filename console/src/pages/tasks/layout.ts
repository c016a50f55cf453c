// SPDX-License-Identifier: Apache-2.0
// Where the steps of a task stand when they are drawn: one below what it waits for; what runs side by side in one row, or, where many do the same
// between the same neighbours, in a frame of several rows. Pure: numbers in, numbers out.

export interface GraphStep {
  id: number;
  /** Ids of the steps that it waits for. */
  upstreams: readonly number[];
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed extends Box {
  id: number;
  layer: number;
}

export interface Line {
  /** Path of an SVG. */
  d: string;
  /** The steps it comes from: it is "done" when they are. */
  from: number[];
}

export interface Drawing {
  width: number;
  height: number;
  steps: Placed[];
  frames: Box[];
  lines: Line[];
}

export const STEP_WIDTH = 226,
  STEP_HEIGHT = 50;
const GAP_X = 16,
  GAP_Y = 30,
  PAD = 8,
  IN_FRAME = 8,
  PER_ROW = 4;

const keyOf = (ids: readonly number[]) => [...ids].sort((a, b) => a - b).join(' ');

/** Steps by how many others must come first, at least. Steps stand behind those they wait for, as the server lists them. */
export function layersOf(steps: readonly GraphStep[]): number[][] {
  const depth = new Map<number, number>();
  const layers: number[][] = [];
  for (const step of steps) {
    const layer = Math.max(0, ...step.upstreams.map((id) => (depth.get(id) ?? -1) + 1));
    depth.set(step.id, layer);
    (layers[layer] ??= []).push(step.id);
  }
  return layers;
}

function downstreamsOf(steps: readonly GraphStep[]) {
  const found = new Map<number, number[]>(steps.map((s) => [s.id, []]));
  for (const s of steps) for (const id of s.upstreams) found.get(id)?.push(s.id);
  return found;
}

/* Many, and alike before and behind. */
function isBlock(layer: readonly number[], up: Map<number, readonly number[]>, down: Map<number, readonly number[]>) {
  const alike = (of: Map<number, readonly number[]>) => new Set(layer.map((id) => keyOf(of.get(id) ?? []))).size === 1;
  return layer.length > PER_ROW && alike(up) && alike(down);
}

const widthOf = (n: number) => n * STEP_WIDTH + (n - 1) * GAP_X;

/* The rows of one layer from `top` on, each in the middle of `width`. */
function place(ids: readonly number[], perRow: number, layer: number, top: number, width: number): Placed[] {
  return ids.map((id, i) => {
    const row = Math.floor(i / perRow);
    const inRow = perRow < ids.length ? perRow : ids.length;
    const left = (width - widthOf(inRow)) / 2;
    return {
      id,
      layer,
      x: left + (i % perRow) * (STEP_WIDTH + GAP_X),
      y: top + row * (STEP_HEIGHT + IN_FRAME),
      width: STEP_WIDTH,
      height: STEP_HEIGHT,
    };
  });
}

function frameAround(placed: readonly Placed[]): Box {
  const left = Math.min(...placed.map((p) => p.x)) - PAD,
    top = Math.min(...placed.map((p) => p.y)) - PAD;
  const right = Math.max(...placed.map((p) => p.x + p.width)) + PAD,
    bottom = Math.max(...placed.map((p) => p.y + p.height)) + PAD;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

type Point = [x: number, y: number];
const above = (b: Box): Point => [b.x + b.width / 2, b.y];
const below = (b: Box): Point => [b.x + b.width / 2, b.y + b.height];

function curve([x1, y1]: Point, [x2, y2]: Point) {
  if (Math.abs(x1 - x2) < 1) return `M${x1} ${y1}V${y2}`;
  const bend = Math.min(GAP_Y, (y2 - y1) / 2);
  return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
}

/* From each of one group to each of the other: directly, or through a point between them where that would be a net of lines. */
function connect(from: { box: Box; ids: number[] }[], to: Box[]): Line[] {
  const all = from.flatMap((f) => f.ids);
  if (from.length < 2 || to.length < 2)
    return from.flatMap((f) => to.map((t) => ({ d: curve(below(f.box), above(t)), from: f.ids })));
  const ends = to.map(above);
  const middle: Point = [
    ends.reduce((sum, [x]) => sum + x, 0) / ends.length,
    Math.min(...ends.map(([, y]) => y)) - GAP_Y / 2,
  ];
  return [
    ...from.map((f) => ({ d: curve(below(f.box), middle), from: f.ids })),
    ...ends.map((end) => ({ d: curve(middle, end), from: all })),
  ];
}

export function draw(steps: readonly GraphStep[]): Drawing {
  const layers = layersOf(steps);
  const up = new Map(steps.map((s) => [s.id, s.upstreams]));
  const down = downstreamsOf(steps);
  const blocks = layers.map((l) => isBlock(l, up, down));
  const inRow = layers.map((l, i) => (blocks[i] === true ? PER_ROW : l.length));
  const width = Math.max(0, ...inRow.map(widthOf)) + 2 * PAD;

  const placed: Placed[] = [];
  const frames = new Map<number, Box>(); // by layer
  let bottom = 0;
  layers.forEach((ids, layer) => {
    const framed = blocks[layer] === true;
    const top = (layer === 0 ? 0 : bottom + GAP_Y) + PAD * (framed || layer === 0 ? 1 : 0);
    const row = place(ids, inRow[layer] ?? 1, layer, top, width);
    placed.push(...row);
    if (framed) frames.set(layer, frameAround(row));
    bottom = Math.max(...row.map((p) => p.y + p.height)) + (framed ? PAD : 0);
  });

  const boxes = new Map(placed.map((p) => [p.id, p]));
  /* Whole frames stand for what is in them. */
  const ends = (ids: readonly number[]) => {
    const known = ids.flatMap((id) => boxes.get(id) ?? []);
    const layer = known[0]?.layer ?? -1;
    const frame = frames.get(layer);
    if (frame !== undefined && known.length === layers[layer]?.length && known.every((p) => p.layer === layer))
      return [{ box: frame, ids: [...ids] }];
    return known.map((p) => ({ box: p as Box, ids: [p.id] }));
  };
  const groups = new Map<string, { from: readonly number[]; to: number[] }>();
  for (const s of steps) {
    if (s.upstreams.length === 0) continue;
    const key = keyOf(s.upstreams);
    const group = groups.get(key) ?? { from: s.upstreams, to: [] };
    group.to.push(s.id);
    groups.set(key, group);
  }
  const lines = [...groups.values()].flatMap(({ from, to }) =>
    connect(
      ends(from),
      ends(to).map((e) => e.box),
    ),
  );
  return { width, height: bottom + PAD, steps: placed, frames: [...frames.values()], lines };
}
