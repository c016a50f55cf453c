// SPDX-License-Identifier: Apache-2.0
// Permission expressions as the server reads them: DOMAIN[:id|*[:SUBDOMAIN[:id|*]]]:ACTION, "*", "**". Here they only decide what is
// shown; the server decides what is done.

const BELOW: Record<string, string> = { TENANT: 'CLUSTER', BACKUP: 'CLUSTER' };

interface Permission {
  domain: string;
  id: string;
  sub: string;
  subId: string;
  action: string;
}

export function parse(text: string): Permission {
  const parts = text.split(':');
  const action = parts.pop() ?? '';
  const [first = '', id = '*', second = first, subId = '*'] = parts;
  const parent = BELOW[first];
  if (parent === undefined) return { domain: first, id, sub: second, subId, action };
  return { domain: parent, id: '*', sub: first, subId: id, action };
}

const overlap = (granted: string, wanted: string) => granted === '*' || wanted === '*' || granted === wanted;

function matches(granted: string, wanted: Permission) {
  if (granted === '**') return true;
  if (wanted.action === '**') return false; // all of everything is held whole or not at all
  if (granted === '*') return wanted.sub === wanted.domain;
  const g = parse(granted);
  return (
    g.domain === wanted.domain &&
    g.sub === wanted.sub &&
    (g.action === '*' || g.action === wanted.action) &&
    overlap(g.id, wanted.id) &&
    overlap(g.subId, wanted.subId)
  );
}

/** Does any of the granted expressions allow it, for at least one object where `wanted` names none? "A|B": one of them is enough. */
export function allows(granted: readonly string[], wanted: string) {
  return wanted
    .split('|')
    .map(parse)
    .some((w) => granted.some((g) => matches(g, w)));
}
