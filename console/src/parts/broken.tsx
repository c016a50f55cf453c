// SPDX-License-Identifier: Apache-2.0
import { Button, Result } from 'antd';

import { useWords } from '../words';

const words = {
  title: ['This page could not be loaded', '页面加载失败'],
  help: [
    'The server did not give it, or has a newer version of the console. Load it again.',
    '服务器未返回该页面，或控制台已更新，请重新加载。',
  ],
  again: ['Load again', '重新加载'],
} as const;

/** Instead of a page whose program did not come, or failed. */
export default function Broken() {
  const w = useWords(words);
  return (
    <Result
      title={<h1 style={{ fontSize: 20, margin: 0 }}>{w.title}</h1>}
      subTitle={w.help}
      extra={
        <Button type="primary" onClick={() => location.reload()}>
          {w.again}
        </Button>
      }
    />
  );
}
