// SPDX-License-Identifier: Apache-2.0
import { ErrorPage } from '../parts/error-page';

const words = {
  title: ['There is no such page', '页面不存在'],
  help: ['It may have been moved, or what it showed has been deleted.', '页面可能已移动，或其展示的对象已被删除。'],
} as const;

export default function Error404() {
  return <ErrorPage number={404} words={words} />;
}
