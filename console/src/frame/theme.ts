// SPDX-License-Identifier: Apache-2.0
import type { ThemeConfig } from 'antd';

/* Who has asked the system for less motion gets none. */
const still = typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches;

/* Colours with a contrast of at least 4.5 on white. */
export const theme: ThemeConfig = {
  cssVar: { key: 'ocp' },
  hashed: false,
  token: {
    motion: !still,
    colorPrimary: '#0b57d0',
    colorPrimaryHover: '#2463cc',
    colorLinkHover: '#2463cc',
    colorErrorHover: '#d0312d',
    colorInfo: '#0b57d0',
    colorLink: '#0b57d0',
    colorSuccess: '#197a2b',
    colorSuccessBg: '#e6f4e8',
    colorSuccessBorder: '#9fcea8',
    colorWarning: '#8f5a00',
    colorWarningBg: '#fff4d9',
    colorWarningBorder: '#e5c27a',
    colorError: '#c5221f',
    colorErrorBg: '#fdecea',
    colorErrorBorder: '#efa9a5',
    colorTextTertiary: 'rgba(0, 0, 0, 0.62)',
    colorTextDescription: 'rgba(0, 0, 0, 0.62)',
    colorTextPlaceholder: 'rgba(0, 0, 0, 0.56)',
    fontFamily: 'inherit',
    borderRadius: 6,
  },
};
