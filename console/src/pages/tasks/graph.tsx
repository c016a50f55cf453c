// SPDX-License-Identifier: Apache-2.0
// The steps of a task and which waits for which, drawn. Each step is a button; the arrow keys go along the lines.
import { Flex } from 'antd';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';

import { useStateText } from '../../parts/status-tag';
import { useWords } from '../../words';
import { draw, type Placed } from './layout';
import { between, isActive, isBroken, isOver, type Step, stateOf } from './model';
import { taskWords } from './words';

const words = {
  ...taskWords,
  graph: ['Graph of the steps', '子任务流程图'],
} as const;

type Look = 'done' | 'broken' | 'active' | 'waits' | 'left';
const MARKS: Record<Look, string> = { done: '✓', broken: '✕', active: '▶', waits: '·', left: '–' };

function lookOf(s: Step): Look {
  if (isBroken(s)) return 'broken';
  if (isActive(s)) return 'active';
  if (s.state === 'SUCCESSFUL') return 'done';
  return isOver(s) ? 'left' : 'waits';
}

/* "start the observer (10.0.0.1)": what it does, and what for. */
function partsOf(name = '') {
  const [, what = name, target] = /^(.*) \((.*)\)$/.exec(name) ?? [];
  return { what, target };
}

/* Where an arrow key leads. */
function neighbour(key: string, step: Step, at: Map<number, Placed>, steps: readonly Step[]) {
  const here = at.get(step.id ?? 0);
  if (key === 'ArrowUp') return step.upstreams?.[0];
  if (key === 'ArrowDown') return step.downstreams?.[0];
  const side = steps.filter((s) => at.get(s.id ?? 0)?.layer === here?.layer).map((s) => s.id);
  const i = side.indexOf(step.id);
  if (key === 'ArrowRight') return side[i + 1];
  return key === 'ArrowLeft' ? side[i - 1] : undefined;
}

function Legend() {
  const text = useStateText();
  const all: [Look, string][] = [
    ['waits', 'PENDING'],
    ['active', 'RUNNING'],
    ['done', 'SUCCESSFUL'],
    ['broken', 'FAILED'],
    ['left', 'SKIPPED'],
  ];
  return (
    <Flex gap={16} wrap className="quiet" style={{ marginBottom: 8 }} aria-hidden>
      {all.map(([look, state]) => (
        <span key={look} className={`step-key-${look}`}>
          {MARKS[look]} {text(state)}
        </span>
      ))}
    </Flex>
  );
}

interface Props {
  steps: readonly Step[];
  onOpen: (step: Step) => void;
}

export function TaskGraph({ steps, onOpen }: Props) {
  const w = useWords(words);
  const text = useStateText();
  // Only which steps there are decides where they stand; their states change each second.
  const shape = JSON.stringify(steps.map((s) => ({ id: s.id ?? 0, upstreams: s.upstreams ?? [] })));
  const drawing = useMemo(() => draw(JSON.parse(shape) as Parameters<typeof draw>[0]), [shape]);
  const at = useMemo(() => new Map(drawing.steps.map((p) => [p.id, p])), [drawing]);
  const over = new Set(steps.filter(isOver).map((s) => s.id ?? 0));
  const interesting = steps.find(isBroken) ?? steps.find(isActive);
  const [focused, setFocused] = useState<number>();
  const current = focused ?? interesting?.id ?? steps[0]?.id;
  const area = useRef<HTMLDivElement>(null);

  // What runs, or has failed, comes into sight; unless somebody is looking around.
  const shown = at.get(interesting?.id ?? 0);
  const looking = focused !== undefined;
  useEffect(() => {
    const box = area.current;
    if (box === null || shown === undefined || looking) return;
    box.scrollTop = shown.y - box.clientHeight / 2;
    box.scrollLeft = shown.x - box.clientWidth / 2 + shown.width / 2;
  }, [shown, looking]);

  const onKey = (e: KeyboardEvent, step: Step) => {
    const to = neighbour(e.key, step, at, steps);
    if (to === undefined) return;
    e.preventDefault();
    setFocused(to);
    area.current?.querySelector<HTMLElement>(`[data-step="${to}"]`)?.focus();
  };
  return (
    <>
      <Legend />
      <div className="task-graph" ref={area} tabIndex={-1} role="group" aria-label={w.graph}>
        <div style={{ width: drawing.width, height: drawing.height }}>
          <svg width={drawing.width} height={drawing.height} aria-hidden>
            {drawing.frames.map((f) => (
              <rect key={f.y} {...f} rx={8} className="step-frame" />
            ))}
            {drawing.lines.map((l, i) => (
              <path key={i} d={l.d} className={l.from.every((id) => over.has(id)) ? 'step-line done' : 'step-line'} />
            ))}
          </svg>
          {steps.map((s) => {
            const p = at.get(s.id ?? 0);
            const look = lookOf(s);
            const { what, target } = partsOf(s.name);
            return p === undefined ? null : (
              <button
                key={s.id}
                type="button"
                data-step={s.id}
                className={`step step-${look}`}
                style={{ left: p.x, top: p.y, width: p.width, height: p.height }}
                tabIndex={s.id === current ? 0 : -1}
                title={s.name}
                onFocus={() => setFocused(s.id)}
                onKeyDown={(e) => onKey(e, s)}
                onClick={() => onOpen(s)}
              >
                <span className="step-name">{what}</span>
                <span className="step-state">
                  {target === undefined ? '' : <span className="step-target">{target}</span>}
                  <span aria-hidden>{MARKS[look]}</span> {text(stateOf(s))}
                  {s.startTime === undefined || look === 'waits' ? '' : ` ${between(s.startTime, s.finishTime)}`}
                </span>
              </button>
            );
          })}
        </div>
      </div>
    </>
  );
}
