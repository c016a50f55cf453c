// SPDX-License-Identifier: Apache-2.0
// Permission expressions as a table: a row per scope ("HOST:*", "CLUSTER:7", "CLUSTER:*:TENANT:*"), a column per action.

export const ACTIONS = ['READ', 'CREATE', 'UPDATE', 'DELETE'] as const;
export type Action = (typeof ACTIONS)[number];

export interface ScopeRow {
  scope: string; // "" stands for the expressions "*" and "**"
  actions: Action[];
}

/** "HOST:READ" is "HOST:*:READ"; a subdomain without its id means every one. */
function scopeOf(parts: string[]) {
  return parts.length % 2 === 1 ? [...parts, '*'].join(':') : parts.join(':');
}

export function toRows(expressions: readonly string[]): ScopeRow[] {
  const rows = new Map<string, Set<Action>>();
  for (const expression of expressions) {
    const parts = expression.split(':');
    const action = parts.pop() ?? '';
    if (parts.length === 0) continue;
    const row = rows.get(scopeOf(parts)) ?? new Set<Action>();
    for (const a of ACTIONS) if (action === '*' || action === a) row.add(a);
    rows.set(scopeOf(parts), row);
  }
  return [...rows].map(([scope, actions]) => ({ scope, actions: ACTIONS.filter((a) => actions.has(a)) }));
}

export function toExpressions(rows: readonly ScopeRow[]): string[] {
  return rows.flatMap(({ scope, actions }) =>
    actions.length === ACTIONS.length ? [`${scope}:*`] : actions.map((a) => `${scope}:${a}`),
  );
}

/** The expressions after one box was ticked or cleared. */
export function withAction(expressions: readonly string[], scope: string, action: Action, on: boolean): string[] {
  const rows = toRows(expressions);
  const old = rows.find((r) => r.scope === scope)?.actions ?? [];
  const actions = ACTIONS.filter((a) => (a === action ? on : old.includes(a)));
  const others = rows.filter((r) => r.scope !== scope);
  const whole = expressions.filter((e) => e === '*' || e === '**');
  return [...whole, ...toExpressions([...others, { scope, actions }])];
}
