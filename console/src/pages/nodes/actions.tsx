// SPDX-License-Identifier: Apache-2.0
// What may be done with a node: work and leadership taken from it and given back, its removal.
import { ConfirmTyped } from '../../parts/confirm-typed';
import { DeleteDialog } from '../../parts/delete-dialog';
import { RowActions } from '../../parts/row-actions';
import { useAction } from '../../parts/use-action';
import { useDialog } from '../../parts/use-dialog';
import { fill, useWords } from '../../words';
import type { Node } from './model';
import { nodeWords } from './words';

const words = {
  ...nodeWords,
  drain: ['Drain', '排空'],
  drainTitle: ['Drain {0}?', '排空节点 {0}？'],
  drainText: [
    'It hands leadership and leases to other nodes, and load balancers send it nothing new, until it is resumed.',
    '该节点将移交主节点身份和租约，负载均衡不再向其分发新请求，直到恢复为止。',
  ],
  drained: ['{0} is being drained', '{0} 开始排空'],
  resume: ['Resume', '恢复'],
  resumed: ['{0} works again', '{0} 已恢复'],
  lead: ['Make leader', '设为主节点'],
  leadTitle: ['Hand leadership to {0}?', '将主节点移交给 {0}？'],
  leadText: ['Background work pauses for a moment. Calls go on.', '后台任务将短暂暂停，接口调用不受影响。'],
  leads: ['{0} leads', '{0} 已成为主节点'],
  renew: ['Renew certificate', '更新证书'],
  renewed: ['{0} renews its certificate in a moment', '{0} 即将更新证书'],
  remove: ['Remove', '移除'],
  removeText: [
    'It is removed from the cluster for good, and its certificate counts no more. To come back it must join anew.',
    '该节点将被永久移出集群，其证书立即失效；如需恢复，必须重新加入。',
  ],
} as const;

const NODE = '/api/v2/ocp/nodes/{id}';
const CHANGED = ['/api/v2/ocp', '/members'];
const UPDATE = 'PROPERTY:*:UPDATE';

/** Which dialog is open about which node; the page holds it, so that a table drawn anew does not close it. */
export type NodeDialog = ReturnType<typeof useDialog<Node>>;

export function NodeRowActions({ of, dialog }: { of: Node; dialog: NodeDialog }) {
  const w = useWords(words);
  const resume = useAction('post', `${NODE}/resume`, { done: fill(w.resumed, of.name ?? ''), refreshes: CHANGED });
  const renew = useAction('post', `${NODE}/renewCertificate`, {
    done: fill(w.renewed, of.name ?? ''),
    refreshes: CHANGED,
  });
  const votes = of.member?.role === 'VOTER' && of.witness !== true;
  return (
    <RowActions
      actions={[
        {
          label: w.drain,
          needs: UPDATE,
          hidden: of.drainWanted === true || of.witness === true,
          onClick: () => dialog.show('drain', of),
        },
        {
          label: w.resume,
          needs: UPDATE,
          hidden: of.drainWanted !== true,
          loading: resume.running,
          onClick: () => resume.run({ path: { id: of.id ?? 0 } }),
        },
        {
          label: w.lead,
          needs: UPDATE,
          hidden: of.leads || !votes || of.drainWanted === true,
          onClick: () => dialog.show('lead', of),
        },
        {
          label: w.renew,
          needs: UPDATE,
          hidden: of.certificateExpireTime === undefined,
          loading: renew.running,
          onClick: () => renew.run({ path: { id: of.id ?? 0 } }),
        },
        { label: w.remove, needs: '**', danger: true, onClick: () => dialog.show('remove', of) },
      ]}
    />
  );
}

export function NodeDialogs({ dialog }: { dialog: NodeDialog }) {
  const w = useWords(words);
  const id = dialog.subject?.id ?? 0,
    name = dialog.subject?.name ?? '';
  const options = { quiet: true, refreshes: CHANGED, then: dialog.hide };
  const drain = useAction('post', `${NODE}/drain`, { ...options, done: fill(w.drained, name) });
  const lead = useAction('post', '/api/v2/ocp/leader/transfer', { ...options, done: fill(w.leads, name) });
  const close = () => {
    [drain, lead].forEach((a) => a.reset());
    dialog.hide();
  };
  return (
    <>
      <ConfirmTyped
        open={dialog.is('drain')}
        title={fill(w.drainTitle, name)}
        word="confirm"
        running={drain.running}
        error={drain.error}
        onConfirm={() => drain.run({ path: { id } })}
        onClose={close}
      >
        {w.drainText}
      </ConfirmTyped>
      <ConfirmTyped
        open={dialog.is('lead')}
        title={fill(w.leadTitle, name)}
        word="confirm"
        running={lead.running}
        error={lead.error}
        onConfirm={() => lead.run({ body: { nodeId: id } })}
        onClose={close}
      >
        {w.leadText}
      </ConfirmTyped>
      <DeleteDialog
        open={dialog.is('remove')}
        path={NODE}
        input={{ path: { id } }}
        name={name}
        refreshes={CHANGED}
        onClose={dialog.hide}
      >
        {w.removeText}
      </DeleteDialog>
    </>
  );
}
