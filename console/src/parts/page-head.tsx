// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';

/** Title of a page with its actions. */
export function PageHead({ title, tags, children }: { title: ReactNode; tags?: ReactNode; children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {tags}
      <div className="actions">{children}</div>
    </div>
  );
}
