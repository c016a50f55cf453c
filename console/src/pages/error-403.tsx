// SPDX-License-Identifier: Apache-2.0
import { ErrorPage } from '../parts/error-page';

const words = {
  title: ['You may not see this page', '您没有权限访问此页面'],
  help: ['Ask somebody who manages users for a role that allows it.', '请联系用户管理员授予相应角色。'],
} as const;

export default function Error403() {
  return <ErrorPage number={403} words={words} />;
}
