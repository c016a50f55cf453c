// SPDX-License-Identifier: Apache-2.0
import type { Words } from '../words';

export const kinds = {
  DEDICATED_PHYSICAL_MACHINE: ['Physical machine', '物理机'],
  DEDICATED_CONTAINER: ['Container', '容器'],
  DEDICATED_ECS: ['Cloud server', '云服务器'],
} satisfies Words;
