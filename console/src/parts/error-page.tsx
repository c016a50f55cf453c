// SPDX-License-Identifier: Apache-2.0
import { Result } from 'antd';
import { Link } from 'react-router-dom';

import { type Pair, useWords } from '../words';

const own = { home: ['To the first page', '返回首页'] } as const;

export function ErrorPage({ number, words }: { number: 403 | 404; words: { title: Pair; help: Pair } }) {
  const w = useWords(words);
  const o = useWords(own);
  return (
    <Result
      icon={
        <span style={{ fontSize: 56, fontWeight: 600 }} aria-hidden>
          {number}
        </span>
      }
      title={<h1 style={{ fontSize: 20, margin: 0 }}>{w.title}</h1>}
      subTitle={w.help}
      extra={<Link to="/">{o.home}</Link>}
    />
  );
}
