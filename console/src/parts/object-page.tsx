// SPDX-License-Identifier: Apache-2.0
// The page of one object: waits for it, says why it cannot be had, marks it when it is old.
import type { ReactNode } from 'react';

import type { useGet } from '../api/hooks';
import type { Data, PathOf } from '../api/types';
import { ErrorPage } from './error-page';
import { ErrorView } from './error-view';
import { Loading } from './loading';
import { PageHead } from './page-head';
import { StaleTag } from './stale-tag';

const missing = {
  title: ['It does not exist', '对象不存在'],
  help: ['It may have been deleted.', '该对象可能已被删除。'],
} as const;

interface Props<T> {
  got: {
    data: T | undefined;
    error: ReturnType<typeof useGet>['error'];
    stale: boolean;
    dataUpdatedAt: number;
    refetch: () => Promise<unknown>;
  };
  title: (data: T) => ReactNode;
  tags?: (data: T) => ReactNode;
  actions?: (data: T) => ReactNode;
  children: (data: T) => ReactNode;
}

export type Got<P extends PathOf<'get'>> = Data<'get', P>;

export function ObjectPage<T>({ got, title, tags, actions, children }: Props<T>) {
  const { data, error } = got;
  if (data === undefined && error?.status === 404) return <ErrorPage number={404} words={missing} />;
  if (data === undefined && error !== null) return <ErrorView error={error} onRetry={() => void got.refetch()} />;
  if (data === undefined) return <Loading />;
  return (
    <>
      <PageHead
        title={title(data)}
        tags={
          <>
            {tags?.(data)}
            <StaleTag stale={got.stale} at={got.dataUpdatedAt} />
          </>
        }
      >
        {actions?.(data)}
      </PageHead>
      {error === null || error.isAway ? null : (
        <div style={{ marginBottom: 12 }}>
          <ErrorView error={error} onRetry={() => void got.refetch()} />
        </div>
      )}
      {children(data)}
    </>
  );
}
